/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/pieces.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "sync/chunk.h"
#include "sync/engine_internal.h"

enum {
    QUIET_US = 300 * 1000, /* after the last event */
    POLL_US = 20 * 1000,
    NODES_A_TURN = 20000,
};

/* One file, read by a thread. The thread owns all but `stop` until it has set `done`. */
struct piecing {
    uint32_t id;
    int fd;
    uint64_t size;
    struct chunk_result result;
    pthread_t thread;
    atomic_bool stop, done;
};

static void *read_pieces(void *context)
{
    struct piecing *piecing = context;
    struct error err;
    bool done =
        chunk_scan(piecing->fd, piecing->size, NULL, &piecing->stop, &piecing->result, &err);
    (void)done; /* no list: the file changed meanwhile, and its event will come */
    atomic_store(&piecing->done, true);
    return NULL;
}

static bool lacks_pieces(const struct sync *sync, const struct node *node)
{
    enum { NOT_NOW = NODE_UNHASHED | NODE_TOUCHED | NODE_DIRTY | NODE_UNREADABLE | NODE_FREE };
    const struct entry *other = sync->options.role == SYNC_LAPTOP ? &node->remote : &node->base;
    return node->local.kind == ENTRY_FILE && node->local.size >= CHUNK_FILE_MIN &&
           !(node->flags & NOT_NOW) && entry_same_content(&node->local, other) &&
           !(node->chunks && hash128_equal(node->chunks->content, node->local.hash));
}

static bool start(struct sync *sync, uint32_t id)
{
    char path[TREE_PATH_LIMIT];
    const char *name;
    struct stat stat;
    AUTO(fd_close) int parent = open_parent(sync->root, tree_path(sync->tree, id, path), &name);
    if (parent < 0)
        return false;
    AUTO(fd_close) int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) ||
        (uint64_t)stat.st_size != node_at(sync, id)->local.size)
        return false;
    struct piecing *piecing = xcalloc(1, sizeof *piecing);
    *piecing = (struct piecing){.id = id, .fd = fd, .size = (uint64_t)stat.st_size};
    if (pthread_create(&piecing->thread, NULL, read_pieces, piecing) != 0) {
        free(piecing);
        return false;
    }
    fd_take(&fd);
    sync->piecing = piecing;
    return true;
}

static void end(struct sync *sync)
{
    struct piecing *piecing = TAKE(sync->piecing);
    pthread_join(piecing->thread, NULL);
    struct node *node = node_at(sync, piecing->id);
    struct chunk_list *list = piecing->result.list;
    if (list && lacks_pieces(sync, node) && hash128_equal(list->content, node->local.hash)) {
        free(node->chunks);
        node->chunks = TAKE(piecing->result.list);
        sync->changes++;
    }
    chunk_result_dispose(&piecing->result);
    close(piecing->fd);
    free(piecing);
}

void pieces_stop(struct sync *sync)
{
    if (!sync->piecing)
        return;
    atomic_store(&sync->piecing->stop, true);
    end(sync);
}

void pieces_look(struct sync *sync, const struct entry *entry)
{
    if (!entry || (entry->kind == ENTRY_FILE && entry->size >= CHUNK_FILE_MIN))
        sync->pieces_at = TREE_ROOT;
}

/* The next file that lacks its list, some thousand nodes at a time. */
static void look_on(struct sync *sync, int64_t *next_us)
{
    uint32_t limit = tree_limit(sync->tree), turn = sync->pieces_at + NODES_A_TURN;
    while (sync->pieces_at < limit && sync->pieces_at < turn) {
        uint32_t id = sync->pieces_at++;
        if (!lacks_pieces(sync, node_at(sync, id)) || !start(sync, id))
            continue;
        sync_wake_at(sync, next_us, sync->now_us + POLL_US);
        return;
    }
    if (sync->pieces_at < limit)
        sync_wake_at(sync, next_us, sync->now_us);
    else
        sync->pieces_at = 0;
}

static bool has_work(const struct sync *sync)
{
    return sync->dirty.count || wave_left(sync) || sync->inflight || sync->want_open ||
           sync->wanted.count;
}

void pieces_step(struct sync *sync, int64_t *next_us)
{
    bool of_use = sync->options.role == SYNC_LAPTOP || sync_mode_two_way(sync->options.mode);
    if (sync->piecing && atomic_load(&sync->piecing->done))
        end(sync);
    if (sync->piecing) {
        sync_wake_at(sync, next_us, sync->now_us + POLL_US);
        return;
    }
    if (!sync->pieces_at || !of_use || has_work(sync))
        return;
    int64_t due_us = sync->last_event_us + QUIET_US;
    if (due_us > sync->now_us)
        sync_wake_at(sync, next_us, due_us);
    else
        look_on(sync, next_us);
}
