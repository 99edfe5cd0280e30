/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fsevents.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sys/fswatch.h"

unsigned fsevents_meaning(uint32_t flags, enum fsevents_now now)
{
    enum {
        LOST = FSEVENTS_MUST_SCAN | FSEVENTS_USER_DROPPED | FSEVENTS_KERNEL_DROPPED |
               FSEVENTS_IDS_WRAPPED | FSEVENTS_MOUNT | FSEVENTS_UNMOUNT,
    };
    if (flags & LOST)
        return FSWATCH_LOST;
    if (flags & FSEVENTS_HISTORY_DONE)
        return 0;
    if (flags & FSEVENTS_ROOT_CHANGED)
        return FSWATCH_SELF;
    if (now == FSEVENTS_ABSENT)
        return FSWATCH_GONE | (flags & FSEVENTS_IS_FOLDER ? FSWATCH_FOLDER : 0);
    /* What was removed and is there was made again. */
    unsigned what = flags & (FSEVENTS_CREATED | FSEVENTS_REMOVED) ? FSWATCH_CREATED : 0;
    if (flags & FSEVENTS_RENAMED)
        what |= FSWATCH_ARRIVED;
    if (now == FSEVENTS_FOLDER)
        return FSWATCH_FOLDER | (what ? what : FSWATCH_MODE);
    if (flags & FSEVENTS_MODIFIED) /* told when the file is closed */
        what |= FSWATCH_WRITTEN;
    return what ? what : FSWATCH_MODE;
}

enum { NONE = -1, BUCKETS_MIN = 1024 };

struct folder {
    char *path; /* NULL: dropped */
    uint32_t id;
    int next; /* in its bucket, or of those to be used again */
};

struct fsevents_folders {
    struct folder *items; /* by token */
    size_t count, capacity;
    int unused;
    int *buckets;
    size_t bucket_count; /* a power of two */
    int *tokens;         /* by id */
    size_t id_count;
};

static size_t bucket_of(const struct fsevents_folders *folders, const char *path, size_t size)
{
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (uint8_t)path[i]) * UINT64_C(1099511628211);
    return (sum ^ sum >> 32) & (folders->bucket_count - 1);
}

static void link_in(struct fsevents_folders *folders, int token)
{
    struct folder *folder = &folders->items[token];
    size_t bucket = bucket_of(folders, folder->path, strlen(folder->path));
    folder->next = folders->buckets[bucket];
    folders->buckets[bucket] = token;
}

static void buckets_make(struct fsevents_folders *folders, size_t count)
{
    free(folders->buckets);
    folders->buckets = xreallocarray(NULL, count, sizeof *folders->buckets);
    folders->bucket_count = count;
    for (size_t i = 0; i < count; i++)
        folders->buckets[i] = NONE;
    for (size_t i = 0; i < folders->count; i++)
        if (folders->items[i].path)
            link_in(folders, (int)i);
}

struct fsevents_folders *fsevents_folders_new(void)
{
    struct fsevents_folders *folders = xcalloc(1, sizeof *folders);
    folders->unused = NONE;
    buckets_make(folders, BUCKETS_MIN);
    return folders;
}

void fsevents_folders_free(struct fsevents_folders *folders)
{
    if (!folders)
        return;
    for (size_t i = 0; i < folders->count; i++)
        free(folders->items[i].path);
    free(folders->items);
    free(folders->buckets);
    free(folders->tokens);
    free(folders);
}

static int token_new(struct fsevents_folders *folders)
{
    int token = folders->unused;
    if (token != NONE) {
        folders->unused = folders->items[token].next;
        return token;
    }
    if (folders->count == folders->capacity) {
        folders->capacity = folders->capacity ? folders->capacity * 2 : 64;
        folders->items = xreallocarray(folders->items, folders->capacity, sizeof *folders->items);
    }
    return (int)folders->count++;
}

int fsevents_claim(struct fsevents_folders *folders, const char *path)
{
    int token = token_new(folders);
    folders->items[token] = (struct folder){.path = xstrdup(path)};
    if (folders->count > folders->bucket_count)
        buckets_make(folders, folders->bucket_count * 4);
    else
        link_in(folders, token);
    return token;
}

static void forget(struct fsevents_folders *folders, int token)
{
    struct folder *folder = &folders->items[token];
    if (!folder->path)
        return;
    int *at = &folders->buckets[bucket_of(folders, folder->path, strlen(folder->path))];
    while (*at != token)
        at = &folders->items[*at].next;
    *at = folder->next;
    if (folder->id)
        folders->tokens[folder->id] = NONE;
    free(folder->path);
    *folder = (struct folder){.next = folders->unused};
    folders->unused = token;
}

static int find(const struct fsevents_folders *folders, const char *path, size_t size)
{
    int at = folders->buckets[bucket_of(folders, path, size)];
    for (; at != NONE; at = folders->items[at].next) {
        const struct folder *folder = &folders->items[at];
        if (folder->id && strncmp(folder->path, path, size) == 0 && !folder->path[size])
            break;
    }
    return at;
}

void fsevents_drop(struct fsevents_folders *folders, uint32_t id)
{
    if (fsevents_bound(folders, id))
        forget(folders, folders->tokens[id]);
}

void fsevents_bind(struct fsevents_folders *folders, int token, uint32_t id)
{
    assert(id != 0 && token >= 0 && (size_t)token < folders->count);
    struct folder *folder = &folders->items[token];
    if (!folder->path || folder->id == id)
        return;
    int other = find(folders, folder->path, strlen(folder->path));
    if (other != NONE && other != token)
        forget(folders, other);
    fsevents_drop(folders, id);
    if (id >= folders->id_count) {
        size_t count = folders->id_count ? folders->id_count : 64;
        while (count <= id)
            count *= 2;
        folders->tokens = xreallocarray(folders->tokens, count, sizeof *folders->tokens);
        for (size_t i = folders->id_count; i < count; i++)
            folders->tokens[i] = NONE;
        folders->id_count = count;
    }
    if (folder->id)
        folders->tokens[folder->id] = NONE;
    folder->id = id;
    folders->tokens[id] = token;
}

bool fsevents_bound(const struct fsevents_folders *folders, uint32_t id)
{
    return id < folders->id_count && folders->tokens[id] != NONE;
}

uint32_t fsevents_find(const struct fsevents_folders *folders, const char *path,
                       const char **out_name)
{
    const char *slash = strrchr(path, '/');
    int token = slash ? find(folders, path, (size_t)(slash - path)) : NONE;
    *out_name = slash ? slash + 1 : path;
    if (token == NONE) {
        *out_name = path + strlen(path);
        token = find(folders, path, strlen(path));
    }
    return token == NONE ? 0 : folders->items[token].id;
}
