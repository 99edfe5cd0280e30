/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what was saved before a moment has arrived, while others go on saving.
 *
 *     began ── everything dirty was taken once ──► taken ── what it led to was answered ──► done
 *
 * What could not be sent at that time (a large file, one with many saves under way) is followed
 * until it is, and for a few rounds only: it may be saved anew without end. */
#include <stdlib.h>

#include "base/mem.h"
#include "sync/engine_internal.h"
#include "sync/sender.h"

enum { ROUNDS = 3, BUSY = NODE_QUEUED | NODE_WANTED | NODE_AGAIN | NODE_LATE };
enum { FLUSH_NEW, FLUSH_BEGAN, FLUSH_TAKEN };

static void follow(struct sync_flush *flush, uint32_t id)
{
    flush->rest = xreallocarray(flush->rest, flush->rest_count + 1, sizeof *flush->rest);
    flush->rest[flush->rest_count++] = id;
}

static void take(struct sync *sync, struct sync_flush *flush)
{
    flush->state = FLUSH_TAKEN;
    flush->sequence = sync->sequence;
    flush->rest_count = 0;
    for (size_t i = 0; i < sync->waiting.count; i++)
        follow(flush, sync->waiting.items[i]);
    for (size_t i = sync->wave_at; i < sync->wave_count; i++)
        follow(flush, sync->wave[i].id);
    for (size_t i = 0; i < sync->large.count; i++)
        follow(flush, sync->large.items[i]);
    for (size_t i = 0; i < sync->late.count; i++)
        follow(flush, sync->late.items[i]);
    for (size_t i = sync->dense_at; i < sync->dense.count; i++)
        follow(flush, sync->dense.items[i]);
    for (int dense = 0; dense < 2; dense++)
        if (sending_node(sync, dense))
            follow(flush, sending_node(sync, dense));
    for (uint32_t id = TREE_ROOT + 1; sync->want_open && id < tree_limit(sync->tree); id++)
        if (node_at(sync, id)->flags & NODE_WANTED)
            follow(flush, id);
    flush->followed = flush->rest_count > 0;
}

static bool answered(const struct sync *sync, const struct sync_flush *flush)
{
    for (const struct inflight *sent = sync->inflight; sent; sent = sent->next)
        if (sent->sequence <= flush->sequence)
            return false;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        if (sync->draft[lane].count && sync->draft[lane].sequence <= flush->sequence)
            return false;
    return true;
}

/* From the end, which is done last, and no further than to the first that is not: this is asked at
 * every turn. */
static bool rest_is_done(const struct sync *sync, struct sync_flush *flush)
{
    while (flush->rest_count) {
        uint32_t flags = node_at(sync, flush->rest[flush->rest_count - 1])->flags;
        if (!(flags & NODE_FREE) && flags & BUSY)
            return false;
        flush->rest_count--;
    }
    return true;
}

bool sync_flush_done(struct sync *sync, struct sync_flush *flush)
{
    if (sync_flushed(sync)) /* this also reads what the system has to tell */
        return true;
    if (sync->unlinked) /* nobody knows what is there now */
        return false;
    if (!sync->live || sync->needs_scan || flush->generation != sync->generation) {
        flush->state = FLUSH_NEW; /* what was sent before is not answered any more */
        flush->generation = sync->generation;
        flush->rounds = 0;
        if (!sync->live || sync->needs_scan)
            return false;
    }
    if (flush->state == FLUSH_NEW) {
        flush->state = FLUSH_BEGAN;
        flush->turn = sync->turns;
        flush->refusals = sync->refusals;
    }
    if (flush->state == FLUSH_BEGAN && sync->turns == flush->turn)
        return false;
    if (flush->state == FLUSH_BEGAN)
        take(sync, flush);
    if (!answered(sync, flush) || !rest_is_done(sync, flush))
        return false;
    bool again = flush->followed || flush->refusals != sync->refusals;
    flush->state = FLUSH_NEW;
    return !again || ++flush->rounds > ROUNDS;
}

void sync_flush_dispose(struct sync_flush *flush)
{
    free(flush->rest);
    *flush = (struct sync_flush){0};
}
