/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/doubt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "sync/engine_internal.h"
#include "sys/peer.h"

enum { MARK_MAX = 4096 };

static char *state_file(const struct sync *sync, const char *name)
{
    return xasprintf("%s/%s", sync->options.state, name);
}

static char *mark_path(const struct sync *sync)
{
    return state_file(sync, "open");
}

static bool is_remembered(const struct sync *sync)
{
    return sync->options.state && sync->options.role == SYNC_LAPTOP;
}

static bool is_of_this_run(struct bytes mark)
{
    char boot[BOOT_NAME_SIZE];
    return boot_name(boot) && bytes_equal(mark, bytes_of(boot));
}

void doubt_node(struct sync *sync, struct node *node)
{
    if (!sync->doubtful || !node->base.kind)
        return;
    node->base = (struct entry){0};
    sync->doubted++;
}

void doubt_load(struct sync *sync, bool torn)
{
    struct error err;
    if (!is_remembered(sync))
        return;
    AUTO(mem_free) char *path = mark_path(sync);
    AUTO(buf_dispose) struct buf mark = BUF(MARK_MAX);
    sync->has_mark = access(path, F_OK) == 0;
    bool known = sync->has_mark && file_read(path, &mark, &err);
    sync->marked = known && is_of_this_run(buf_bytes(&mark));
    sync->doubtful = torn || (sync->has_mark && !sync->marked);
    if (!sync->doubtful)
        return;
    if (torn)
        doubt_lost(sync); /* until the state is written anew, also for the next start */
    for (uint32_t id = TREE_ROOT + 1; id < tree_limit(sync->tree); id++) {
        struct node *node = node_at(sync, id);
        node->flags &= ~NODE_CANDIDATE;
        if (!entry_equal(&node->local, &node->base))
            doubt_node(sync, node);
    }
    for (size_t i = 0; i < sync->candidate_count; i++)
        if (!(node_at(sync, sync->candidates[i].id)->flags & NODE_FREE))
            tree_prune(sync->tree, sync->candidates[i].id);
    sync->candidate_count = 0;
}

void doubt_looked(struct sync *sync)
{
    if (!sync->doubtful)
        return;
    sync->doubtful = false;
    sync->changes++;
    if (!sync->doubted || sync->options.mode == SYNC_MIRROR)
        return;
    char text[200];
    snprintf(text, sizeof text,
             "the last run ended with the machine: what both sides had of %zu path%s is not "
             "certain, and nothing of it is deleted or replaced",
             sync->doubted, sync->doubted == 1 ? "" : "s");
    sync_tell(sync, SYNC_EVENT_NOTE, "", text);
}

static bool reaches_disk(const char *path)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* A mirror overwrites what differs in any case: it need not wait for a disk. */
static bool waits_for_disk(const struct sync *sync)
{
    return sync->options.mode != SYNC_MIRROR;
}

static void put_mark(struct sync *sync, const char *text, bool wait)
{
    struct error err;
    AUTO(mem_free) char *path = mark_path(sync);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = fd >= 0 && fd_write_all(fd, bytes_of(text), &err);
    if (done && wait) /* without these there is less to trust after a power cut, and no more */
        (void)(fsync(fd) == 0 && reaches_disk(sync->options.state));
    sync->has_mark = sync->has_mark || fd >= 0;
    sync->marked = done && *text;
}

static void put_mark_of_this_run(struct sync *sync, bool wait)
{
    char boot[BOOT_NAME_SIZE];
    put_mark(sync, boot_name(boot) ? boot : "", wait);
}

void doubt_begin(struct sync *sync)
{
    if (sync->marked || sync->has_mark || !is_remembered(sync)) /* a mark of another run stays */
        return;
    put_mark_of_this_run(sync, waits_for_disk(sync));
}

void doubt_saved(struct sync *sync)
{
    if (sync->marked || !sync->has_mark || sync->doubtful || !is_remembered(sync))
        return;
    put_mark_of_this_run(sync, false);
}

void doubt_lost(struct sync *sync)
{
    if (is_remembered(sync))
        put_mark(sync, "", false);
}

void doubt_end(struct sync *sync)
{
    if (!is_remembered(sync) || !sync->has_mark || sync->doubtful || !waits_for_disk(sync))
        return;
    AUTO(mem_free) char *path = mark_path(sync);
    AUTO(mem_free) char *snapshot = state_file(sync, "snapshot");
    AUTO(mem_free) char *journal = state_file(sync, "journal");
    if (reaches_disk(snapshot) && reaches_disk(journal) && reaches_disk(sync->options.state))
        unlink(path);
}
