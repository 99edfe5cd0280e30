/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines in one process with a link in memory between them that can be cut anywhere. */
#pragma once

#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sync/engine.h"

struct pair;

struct end {
    struct pair *pair;
    struct sync *sync;
    struct buf in[LANE_COUNT]; /* what has arrived and not been handed over */
    unsigned conflicts, guards, notes, applied;
    char last_note[400];
};

struct pair {
    struct end laptop, remote;
    char *top, *here, *there, *here_state, *there_state;
    enum sync_mode mode;
    const char *ignore;
    bool allow, connected;
    bool near; /* the other side seems to be on this machine */
    int64_t now_us;
    struct error err;
};

static inline struct end *pair_other(struct end *end)
{
    return end == &end->pair->laptop ? &end->pair->remote : &end->pair->laptop;
}

static inline void pair_send(void *context, enum sync_lane lane, struct bytes bytes)
{
    struct end *end = context;
    struct error err;
    if (end->pair->connected && !buf_append(&pair_other(end)->in[lane], bytes, &err))
        fail_msg("%s", err.text);
}

static inline size_t pair_queued(void *context, enum sync_lane lane)
{
    return pair_other(context)->in[lane].size;
}

static inline void pair_event(void *context, const struct sync_event *event)
{
    struct end *end = context;
    end->conflicts += event->kind == SYNC_EVENT_CONFLICT;
    end->guards += event->kind == SYNC_EVENT_GUARD;
    end->notes += event->kind == SYNC_EVENT_NOTE;
    end->applied += event->kind == SYNC_EVENT_APPLIED;
    if (event->kind == SYNC_EVENT_NOTE)
        snprintf(end->last_note, sizeof end->last_note, "%s: %s", event->path, event->text);
    if (getenv("SYNC_TEST_LOUD"))
        fprintf(stderr, "%s %d %s: %s\n", end == &end->pair->laptop ? "laptop" : "remote",
                event->kind, event->path, event->text);
}

static inline void pair_give(void *context, enum sync_lane lane, struct buf *bytes)
{
    pair_send(context, lane, buf_bytes(bytes));
    buf_dispose(bytes);
}

/* Near, but in turns, so that not all is compressed. */
static inline int64_t pair_distance_us(void *context)
{
    const struct pair *pair = ((struct end *)context)->pair;
    return pair->near && pair->now_us / 1000 % 2 ? 100 : 12000;
}

static inline int64_t pair_rate(void *context)
{
    (void)context;
    return 1000 * 1000 * 1000;
}

static const struct sync_port pair_port = {.send = pair_send,
                                           .queued = pair_queued,
                                           .event = pair_event,
                                           .distance_us = pair_distance_us,
                                           .give = pair_give,
                                           .rate = pair_rate};

static inline void pair_laptop(struct pair *pair)
{
    struct sync_options options = {.role = SYNC_LAPTOP,
                                   .root = pair->here,
                                   .remote_root = pair->there,
                                   .state = pair->here_state,
                                   .mode = pair->mode,
                                   .ignore = pair->ignore,
                                   .watch = true,
                                   .threads = 1,
                                   .allow_mass_delete = pair->allow};
    pair->laptop.sync = sync_new(&options, &pair_port, &pair->laptop, &pair->err);
    assert_ok(pair->laptop.sync, &pair->err);
}

static inline void pair_remote(struct pair *pair)
{
    struct sync_options options = {.role = SYNC_REMOTE,
                                   .root = pair->there,
                                   .state = pair->there_state,
                                   .watch = true,
                                   .threads = 1};
    pair->remote.sync = sync_new(&options, &pair_port, &pair->remote, &pair->err);
    assert_ok(pair->remote.sync, &pair->err);
}

static inline void pair_clear(struct pair *pair)
{
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        buf_clear(&pair->laptop.in[lane]);
        buf_clear(&pair->remote.in[lane]);
    }
}

/* A new connection: the remote engine is always a new one. */
static inline void pair_connect(struct pair *pair)
{
    pair_clear(pair);
    if (!pair->remote.sync)
        pair_remote(pair);
    pair->connected = true;
    sync_connected(pair->remote.sync);
    sync_connected(pair->laptop.sync);
}

static inline void pair_cut(struct pair *pair, bool kill_remote)
{
    pair->connected = false;
    pair_clear(pair);
    if (pair->remote.sync && kill_remote)
        sync_kill(pair->remote.sync);
    else if (pair->remote.sync)
        sync_free(pair->remote.sync);
    pair->remote.sync = NULL;
    if (pair->laptop.sync)
        sync_disconnected(pair->laptop.sync);
}

static inline void pair_init(struct pair *pair, enum sync_mode mode)
{
    *pair = (struct pair){.mode = mode, .now_us = 1000000};
    pair->top = test_dir_new();
    pair->here = xasprintf("%s/here", pair->top);
    pair->there = xasprintf("%s/there", pair->top);
    pair->here_state = xasprintf("%s/here-state", pair->top);
    pair->there_state = xasprintf("%s/there-state", pair->top);
    assert_int_equal(mkdir(pair->here, 0755), 0);
    pair->laptop.pair = pair->remote.pair = pair;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        pair->laptop.in[lane] = pair->remote.in[lane] = BUF(1 << 30);
}

static inline void pair_dispose(struct pair *pair)
{
    if (pair->remote.sync)
        sync_free(pair->remote.sync);
    if (pair->laptop.sync)
        sync_free(pair->laptop.sync);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        buf_dispose(&pair->laptop.in[lane]);
        buf_dispose(&pair->remote.in[lane]);
    }
    free(pair->here);
    free(pair->there);
    free(pair->here_state);
    free(pair->there_state);
    test_dir_free(pair->top);
}

/* Hands one end what has arrived, at most `limit` bytes a lane, and lets it work. False when the
 * engine cannot go on. */
static inline bool pair_turn(struct pair *pair, struct end *end, size_t limit, struct error *err)
{
    int64_t next;
    if (!end->sync)
        return true;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        size_t size = end->in[lane].size < limit ? end->in[lane].size : limit;
        if (!size)
            continue;
        AUTO(mem_free) uint8_t *copy = xmalloc(size);
        memcpy(copy, end->in[lane].data, size);
        buf_consume(&end->in[lane], size);
        if (!sync_receive(end->sync, lane, (struct bytes){copy, size}, err))
            return false;
    }
    return sync_step(end->sync, pair->now_us, &next, err);
}

static inline bool pair_quiet(const struct pair *pair)
{
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (pair->laptop.in[lane].size || pair->remote.in[lane].size)
            return false;
    return true;
}

/* Until nothing is left to do; false after many turns. */
static inline bool pair_settle(struct pair *pair)
{
    unsigned quiet = 0;
    for (unsigned turn = 0; turn < 4000; turn++) {
        pair->now_us += 10000;
        assert_ok(pair_turn(pair, &pair->laptop, SIZE_MAX, &pair->err), &pair->err);
        assert_ok(pair_turn(pair, &pair->remote, SIZE_MAX, &pair->err), &pair->err);
        struct sync_status status;
        sync_status(pair->laptop.sync, &status);
        bool idle =
            pair_quiet(pair) && (status.phase == SYNC_HALTED || sync_flushed(pair->laptop.sync));
        quiet = idle ? quiet + 1 : 0;
        if (quiet > 40) /* longer than any change waits */
            return true;
    }
    return false;
}

/* --- Files --------------------------------------------------------------------------------- */

static inline char *pair_path(const char *root, const char *path)
{
    return xasprintf("%s/%s", root, path);
}

static inline void put_text(const char *root, const char *path, const char *text)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    AUTO(fd_close) int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct error err;
    if (fd < 0)
        fail_msg("open %s: %s", full, strerror(errno));
    assert_ok(fd_write_all(fd, bytes_of(text), &err), &err);
}

static inline void put_folder(const char *root, const char *path)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    assert_int_equal(mkdir(full, 0755), 0);
}

static inline bool exists(const char *root, const char *path)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    struct stat stat;
    return lstat(full, &stat) == 0;
}

static inline char *get_text(const char *root, const char *path)
{
    AUTO(mem_free) char *full = pair_path(root, path);
    AUTO(buf_dispose) struct buf text = BUF(64 << 20);
    struct error err;
    if (!file_read(full, &text, &err))
        return xasprintf("(%s)", err.text);
    return buf_take(&text);
}

#define assert_text(root, path, expected)                                                          \
    do {                                                                                           \
        AUTO(mem_free) char *text_ = get_text(root, path);                                         \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

static inline int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void describe_entry(const char *full, const char *path, struct buf *out,
                                  bool *out_is_dir)
{
    struct stat stat;
    struct error err;
    char target[4096] = "", hex[HASH128_TEXT_SIZE];
    struct hash128 hash = {0};
    AUTO(buf_dispose) struct buf content = BUF(512 << 20);
    assert_int_equal(lstat(full, &stat), 0);
    if (S_ISLNK(stat.st_mode) && readlink(full, target, sizeof target - 1) < 0)
        target[0] = '\0';
    if (S_ISREG(stat.st_mode) && file_read(full, &content, &err))
        hash = hash128_of(buf_bytes(&content));
    hash128_text(hash, hex);
    assert_true(buf_printf(out, &err, "%s %o %s %s\n", path,
                           S_ISLNK(stat.st_mode) ? 0 : stat.st_mode, hex, target));
    *out_is_dir = S_ISDIR(stat.st_mode);
}

/* Everything in the tree, as text: path, kind, mode, content. Without our own stage. */
static inline void describe_tree(const char *root, const char *below, struct buf *out)
{
    AUTO(mem_free) char *folder = pair_path(root, below);
    DIR *stream = opendir(folder);
    if (!stream)
        return;
    char *names[1024];
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, ".vma-stage") != 0 && count < 1024)
            names[count++] = xstrdup(entry->d_name);
    closedir(stream);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 0; i < count; i++) {
        bool is_dir;
        AUTO(mem_free) char *path =
            *below ? xasprintf("%s/%s", below, names[i]) : xstrdup(names[i]);
        AUTO(mem_free) char *full = pair_path(root, path);
        describe_entry(full, path, out, &is_dir);
        if (is_dir)
            describe_tree(root, path, out);
        free(names[i]);
    }
}

static inline void assert_same_trees(const struct pair *pair)
{
    AUTO(buf_dispose) struct buf here = BUF(64 << 20);
    AUTO(buf_dispose) struct buf there = BUF(64 << 20);
    describe_tree(pair->here, "", &here);
    describe_tree(pair->there, "", &there);
    if (strcmp(buf_string(&here), buf_string(&there)) != 0)
        fail_msg("trees differ\n--- here\n%s--- there\n%s", buf_string(&here), buf_string(&there));
}
