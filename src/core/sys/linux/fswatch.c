/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fswatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

/* Token (the kernel's watch descriptor) to id and back; both grow and are dense. */
struct map {
    uint32_t *items;
    size_t count;
};

struct fswatch {
    int fd;
    struct map ids;    /* by token */
    struct map tokens; /* by id    */
};

static void map_set(struct map *map, size_t at, uint32_t value)
{
    if (at >= map->count) {
        if (value == 0)
            return;
        size_t count = map->count ? map->count : 64;
        while (count <= at)
            count += count / 2;
        map->items = xreallocarray(map->items, count, sizeof *map->items);
        memset(map->items + map->count, 0, (count - map->count) * sizeof *map->items);
        map->count = count;
    }
    map->items[at] = value;
}

static uint32_t map_get(const struct map *map, size_t at)
{
    return at < map->count ? map->items[at] : 0;
}

struct fswatch *fswatch_new(struct error *err)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        error_os(err, errno, "watch files (fs.inotify.max_user_instances may be too low)");
        return NULL;
    }
    struct fswatch *watch = xcalloc(1, sizeof *watch);
    watch->fd = fd;
    return watch;
}

void fswatch_free(struct fswatch *watch)
{
    if (!watch)
        return;
    close(watch->fd);
    free(watch->ids.items);
    free(watch->tokens.items);
    free(watch);
}

int fswatch_fd(const struct fswatch *watch)
{
    return watch->fd;
}

int fswatch_claim(struct fswatch *watch, int fd, struct error *err)
{
    enum {
        EVENTS = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    };
    char path[48]; /* the open folder, whatever it is called by now */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int token = inotify_add_watch(watch->fd, path, EVENTS);
    if (token >= 0)
        return token;
    if (errno == ENOSPC)
        error_set(err, ERROR_LIMIT,
                  "no more watches allowed: raise fs.inotify.max_user_watches (sysctl)");
    else
        error_os(err, errno, "watch folder");
    return -1;
}

void fswatch_bind(struct fswatch *watch, int token, uint32_t id)
{
    uint32_t other = map_get(&watch->ids, (size_t)token);
    if (other && other != id) /* the same folder under a new name */
        map_set(&watch->tokens, other, 0);
    uint32_t before = map_get(&watch->tokens, id);
    if (before && before != (uint32_t)token) {
        map_set(&watch->ids, before, 0);
        inotify_rm_watch(watch->fd, (int)before);
    }
    map_set(&watch->ids, (size_t)token, id);
    map_set(&watch->tokens, id, (uint32_t)token);
}

void fswatch_drop(struct fswatch *watch, uint32_t id)
{
    uint32_t token = map_get(&watch->tokens, id);
    if (!token)
        return;
    map_set(&watch->ids, token, 0);
    map_set(&watch->tokens, id, 0);
    inotify_rm_watch(watch->fd, (int)token); /* fails when the folder is gone: fine */
}

bool fswatch_bound(const struct fswatch *watch, uint32_t id)
{
    return map_get(&watch->tokens, id) != 0;
}

static const struct {
    uint32_t mask;
    unsigned what;
} meanings[] = {
    {IN_CLOSE_WRITE, FSWATCH_WRITTEN},
    {IN_MODIFY, FSWATCH_WRITING},
    {IN_CREATE, FSWATCH_CREATED},
    {IN_MOVED_TO, FSWATCH_ARRIVED},
    {IN_DELETE, FSWATCH_GONE},
    {IN_MOVED_FROM, FSWATCH_DEPARTED},
    {IN_ATTRIB, FSWATCH_MODE},
    {IN_ISDIR, FSWATCH_FOLDER},
    {IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT, FSWATCH_SELF},
    {IN_Q_OVERFLOW, FSWATCH_LOST},
};

static void report(struct fswatch *watch, const struct inotify_event *raw, fswatch_got *got,
                   void *context)
{
    struct fswatch_event event = {.name = raw->len ? raw->name : ""};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (raw->mask & meanings[i].mask)
            event.what |= meanings[i].what;
    if (event.what & FSWATCH_LOST) {
        got(context, &event);
        return;
    }
    event.id = map_get(&watch->ids, (size_t)raw->wd);
    if (!event.id)
        return; /* dropped meanwhile */
    if (raw->mask & IN_IGNORED) {
        map_set(&watch->ids, (size_t)raw->wd, 0);
        map_set(&watch->tokens, event.id, 0);
    }
    if (event.what)
        got(context, &event);
}

bool fswatch_read(struct fswatch *watch, fswatch_got *got, void *context, bool *out_more,
                  struct error *err)
{
    _Alignas(struct inotify_event) char portion[32 * 1024];
    ssize_t size;
    do
        size = read(watch->fd, portion, sizeof portion);
    while (size < 0 && errno == EINTR);
    *out_more = size > 0;
    if (size < 0)
        return errno == EAGAIN || error_os(err, errno, "read file events");
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *raw = (const void *)(portion + at);
        report(watch, raw, got, context);
        at += (ssize_t)(sizeof *raw + raw->len);
    }
    return true;
}
