/* SPDX-License-Identifier: Apache-2.0 */
/* Where the engine keeps its snapshot and its journal. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "sync/doubt.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/snapshot.h"
#include "sys/memory.h"

enum {
    RULES_MAX = 64 << 20,
    SNAPSHOT_MAX = 1 << 30,
    JOURNAL_MAX = 64 << 20,
    JOURNAL_BUFFER = 64 * 1024,
    HEADER_SIZE = 16, /* of a journal */
    SAVE_AFTER_US = 5 * 1000 * 1000,
    QUIET_US = 2 * 1000 * 1000,
    SAVE_LATEST_US = 120 * 1000 * 1000,
};

struct journal {
    int fd;
    off_t size;  /* of what is whole in the file */
    bool failed; /* to write, since it last could */
    struct buf out;
};

static char *state_path(const struct sync *sync, const char *name)
{
    return xasprintf("%s/%s", sync->options.state, name);
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    close(journal->fd);
    buf_dispose(&journal->out);
    free(journal);
}

/* The first `keep` bytes of one that is there already stay. */
static bool journal_open(struct sync *sync, uint64_t generation, size_t keep, struct error *err)
{
    AUTO(mem_free) char *path = state_path(sync, "journal");
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (keep ? 0 : O_TRUNC);
    AUTO(fd_close) int fd = open(path, flags, 0600);
    if (fd < 0)
        return error_os(err, errno, "open %s", path);
    uint8_t header[HEADER_SIZE] = "VMAJRNL\1";
    write_u64(header + 8, generation);
    if (keep && ftruncate(fd, (off_t)keep) != 0) /* what is torn would hide all that follows it */
        return error_os(err, errno, "shorten %s", path);
    if (!keep && !fd_write_all(fd, (struct bytes){header, sizeof header}, err))
        return error_wrap(err, "write %s", path);
    journal_close(sync->journal);
    sync->journal = xcalloc(1, sizeof *sync->journal);
    sync->journal->fd = fd_take(&fd);
    sync->journal->size = (off_t)(keep ? keep : sizeof header);
    sync->journal->out = BUF(16 << 20);
    return true;
}

void journal_flush(struct sync *sync)
{
    struct journal *journal = sync->journal;
    struct error err;
    if (!journal || !journal->out.size)
        return;
    if (fd_write_all(journal->fd, buf_bytes(&journal->out), &err)) {
        journal->size += (off_t)journal->out.size;
        journal->failed = false;
        buf_clear(&journal->out);
        return;
    }
    if (!journal->failed) {
        sync_problem(sync, sync->options.state, err.text);
        doubt_lost(sync); /* perhaps: until the whole is written */
    }
    journal->failed = true;
    if (ftruncate(journal->fd, journal->size) != 0)
        buf_clear(&journal->out);
}

void journal_add(struct sync *sync, enum journal_kind kind, uint32_t id, const struct entry *entry)
{
    struct journal *journal = sync->journal;
    char path[TREE_PATH_LIMIT];
    uint8_t head[7] = {[6] = kind};
    struct error err;
    sync->changes++;
    if (!journal)
        return;
    doubt_begin(sync);
    size_t start = journal->out.size;
    if (!buf_append(&journal->out, (struct bytes){head, sizeof head}, &err) ||
        !sync_blob_encode(bytes_of(tree_path(sync->tree, id, path)), &journal->out, &err) ||
        !sync_entry_encode(entry, &journal->out, &err)) {
        journal->out.size = start;
        return;
    }
    uint8_t *at = journal->out.data + start;
    size_t size = journal->out.size - start - 6;
    write_u16(at, (uint16_t)size);
    write_u32(at + 2, read_u32(hash128_of((struct bytes){at + 6, size}).bytes));
    if (journal->out.size > JOURNAL_BUFFER && !journal->failed)
        journal_flush(sync);
}

static void candidate_add(struct sync *sync, enum journal_kind kind, uint32_t id,
                          const struct entry *entry)
{
    if (sync->candidate_count == sync->candidate_capacity) {
        sync->candidate_capacity = sync->candidate_capacity ? sync->candidate_capacity * 2 : 32;
        sync->candidates =
            xreallocarray(sync->candidates, sync->candidate_capacity, sizeof *sync->candidates);
    }
    node_at(sync, id)->flags |= NODE_CANDIDATE;
    sync->candidates[sync->candidate_count++] = (struct candidate){kind, id, *entry};
}

void candidate_sent(struct sync *sync, uint32_t id, const struct entry *entry)
{
    candidate_add(sync, JOURNAL_SENT, id, entry);
}

/* Returns what cannot be read of it. */
static size_t replay(struct sync *sync, struct bytes input)
{
    struct journal_record record;
    while (journal_record_decode(&input, &record)) {
        uint32_t id = tree_make(sync->tree, record.path);
        struct node *node = node_at(sync, id);
        if (record.kind == JOURNAL_AGREED) {
            node_meet(sync, node, &record.entry);
            node->remote = record.entry;
        } else {
            candidate_add(sync, record.kind, id, &record.entry);
        }
    }
    return input.size;
}

/* What happened since the snapshot was written. False when some of it is missing. */
static bool journal_load(struct sync *sync, uint64_t snapshot, struct error *err)
{
    struct error failed;
    uint64_t generation = 0;
    AUTO(mem_free) char *path = state_path(sync, "journal");
    AUTO(buf_dispose) struct buf journal = BUF(JOURNAL_MAX);
    bool there = access(path, F_OK) == 0, whole = true;
    size_t keep = 0;
    if (there && !file_read(path, &journal, &failed)) {
        whole = false;
    } else if (there) {
        struct bytes input = buf_bytes(&journal);
        bool readable = journal_header_decode(&input, &generation, &failed);
        bool usable = readable && generation == snapshot;
        size_t rest = usable ? replay(sync, input) : 0;
        sync->changes += usable && input.size;
        keep = usable ? journal.size - rest : 0;
        whole = !rest && (readable ? generation <= snapshot : journal.size <= HEADER_SIZE);
    }
    doubt_load(sync, !whole);
    if (journal_open(sync, snapshot, keep, err))
        return true;
    doubt_lost(sync);
    return error_wrap(err, "%s", path);
}

bool snapshot_differs(const struct sync *sync)
{
    struct error err;
    AUTO(buf_dispose) struct buf rules = BUF(RULES_MAX);
    if (sync->changes || sync->options.role == SYNC_REMOTE || !sync->ignore)
        return sync->changes;
    return !ignore_encode(sync->ignore, &rules, &err) ||
           !hash128_equal(hash128_of(buf_bytes(&rules)), sync->rules_saved);
}

static void load_rules(struct sync *sync, struct bytes rules)
{
    struct error err;
    sync->rules_saved = hash128_of(rules);
    if (rules.size && sync->options.role == SYNC_LAPTOP)
        sync->ignore = ignore_decode(rules, &err);
}

void snapshot_load(struct sync *sync)
{
    struct error err;
    struct snapshot snapshot = {0};
    if (!sync->options.state)
        return;
    if (!dir_make(sync->options.state, &err)) {
        sync_problem(sync, sync->options.state, err.text);
        return;
    }
    AUTO(mem_free) char *path = state_path(sync, "snapshot");
    AUTO(buf_dispose) struct buf bytes = BUF(SNAPSHOT_MAX);
    if (access(path, F_OK) == 0 &&
        (!file_read(path, &bytes, &err) ||
         !snapshot_decode(buf_bytes(&bytes), sync->tree, &snapshot, &err))) {
        tree_free(sync->tree); /* a damaged one costs time, nothing else */
        sync->tree = tree_new();
        snapshot = (struct snapshot){0};
        sync_tell(sync, SYNC_EVENT_NOTE, path, err.text);
    }
    load_rules(sync, snapshot.rules);
    sync->state_generation = snapshot.generation;
    sync->met = snapshot.met;
    if (!journal_load(sync, snapshot.generation, &err))
        sync_problem(sync, sync->options.state, err.text);
}

/* While watched, a time stamp that proves nothing is as good as any: changes would have been
 * told. */
static void calm_racy(struct sync *sync)
{
    if (!sync->watch || sync->unwatched || sync->needs_scan)
        return;
    for (uint32_t id = TREE_ROOT; id < tree_limit(sync->tree); id++)
        node_at(sync, id)->flags &= ~NODE_RACY;
}

/* Written beside and renamed, but not forced to the disk: after a power cut the check sum tells,
 * and the price is a slow start. */
static bool replace_file(const char *path, struct bytes bytes, struct error *err)
{
    AUTO(mem_free) char *beside = xasprintf("%s.new", path);
    AUTO(fd_close) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_os(err, errno, "open %s", beside);
    return fd_write_all(fd, bytes, err) &&
           (rename(beside, path) == 0 || error_os(err, errno, "rename %s", beside));
}

bool snapshot_save(struct sync *sync, struct error *err)
{
    if (!sync->options.state)
        return true;
    journal_flush(sync);
    calm_racy(sync);
    AUTO(mem_free) char *path = state_path(sync, "snapshot");
    AUTO(buf_dispose) struct buf rules = BUF(RULES_MAX);
    AUTO(buf_dispose) struct buf bytes = BUF(SNAPSHOT_MAX);
    if (sync->options.role == SYNC_LAPTOP && sync->ignore &&
        !ignore_encode(sync->ignore, &rules, err))
        return error_wrap(err, "remember the state");
    struct snapshot snapshot = {sync->state_generation + 1, sync->met, buf_bytes(&rules)};
    if (!dir_make(sync->options.state, err) ||
        !snapshot_encode(&snapshot, sync->tree, &bytes, err) ||
        !replace_file(path, buf_bytes(&bytes), err))
        return error_wrap(err, "remember the state");
    sync->state_generation++;
    sync->rules_saved = hash128_of(buf_bytes(&rules));
    sync->changes = 0;
    if (!journal_open(sync, sync->state_generation, false, err)) {
        doubt_lost(sync); /* what comes now would belong to no snapshot */
        return error_wrap(err, "remember the state");
    }
    for (size_t i = 0; i < sync->candidate_count; i++)
        journal_add(sync, sync->candidates[i].kind, sync->candidates[i].id,
                    &sync->candidates[i].entry);
    for (const struct inflight *sent = sync->inflight; sent; sent = sent->next)
        for (size_t i = 0; i < sent->count; i++)
            journal_add(sync, JOURNAL_SENT, sent->ops[i].id, &sent->ops[i].entry);
    journal_flush(sync);
    doubt_saved(sync);
    sync->changes = 0;
    buf_dispose(&bytes);
    memory_trim();
    return true;
}

void snapshot_save_if_due(struct sync *sync, int64_t *next_us)
{
    if (!sync->changes || !sync->options.state || !sync->scanned)
        return;
    if (!sync->save_due_us)
        sync->save_due_us = sync->now_us + SAVE_AFTER_US;
    /* Not while somebody works: the journal has it all, and a save must not wait for this. */
    int64_t due_us = sync->last_event_us + QUIET_US;
    if (due_us > sync->save_due_us + SAVE_LATEST_US)
        due_us = sync->save_due_us + SAVE_LATEST_US;
    if (due_us < sync->save_due_us)
        due_us = sync->save_due_us;
    bool busy = wave_left(sync) || sync->inflight;
    if (busy || due_us > sync->now_us) {
        sync_wake_at(sync, next_us, due_us > sync->now_us ? due_us : sync->now_us + SAVE_AFTER_US);
        return;
    }
    sync->save_due_us = 0;
    struct error err;
    if (!snapshot_save(sync, &err))
        sync_tell(sync, SYNC_EVENT_NOTE, "", err.text);
}
