/* SPDX-License-Identifier: Apache-2.0 */
/* Removals that wait for large files of the same burst, which wait for the bulk lane: whoever looks
 * at the other side finds the old, the new or both, never neither. */
#include <string.h>

#include "sync/engine_internal.h"
#include "sync/sender.h"

enum { LATE_US = 1000 * 1000 /* after a large file was saved: what is removed belongs to that */ };

static bool has_late_within(const struct sync *sync, uint32_t folder)
{
    uint32_t id = tree_next(sync->tree, folder, folder);
    while (id && !(node_at(sync, id)->flags & NODE_LATE))
        id = tree_next(sync->tree, id, folder);
    return id;
}

/* As long as one follows the other they belong together; what is removed later waits for nobody,
 * but the folder of what does. */
bool late_is(const struct sync *sync, const struct wave_item *item)
{
    bool under_way = sync->large.count || sync->sending[0] || sync->late.count;
    int64_t last_us = sync->large_us > sync->late_us ? sync->large_us : sync->late_us;
    bool soon = last_us && sync->now_us - last_us < LATE_US;
    return sync->options.role == SYNC_LAPTOP && item->class == WAVE_REMOVE &&
           ((under_way && soon) || (sync->late.count && has_late_within(sync, item->id)));
}

void late_add(struct sync *sync, uint32_t id)
{
    node_at(sync, id)->flags |= NODE_LATE;
    ids_add(&sync->late, id);
    sync->late_us = sync->now_us;
}

/* Takes back what was made anew, and what must make room now. */
void late_review(struct sync *sync)
{
    size_t kept = 0;
    for (size_t i = 0; i < sync->late.count; i++) {
        uint32_t id = sync->late.items[i];
        if (!node_at(sync, id)->local.kind && !node_in_the_way(sync, id)) {
            sync->late.items[kept++] = id;
            continue;
        }
        node_at(sync, id)->flags &= ~NODE_LATE;
        mark_dirty(sync, id);
    }
    sync->late.count = kept;
}

bool late_next(struct sync *sync, struct error *err)
{
    uint32_t id = sync->late.items[0];
    struct node *node = node_at(sync, id);
    memmove(sync->late.items, sync->late.items + 1, --sync->late.count * sizeof id);
    node->flags &= ~NODE_LATE;
    if (node->pending) /* in the other lane */
        push_wait(sync, id);
    else if (node->local.kind)
        mark_dirty(sync, id);
    else if (!sender_add(sync, id, LANE_BULK, err))
        return false;
    tree_prune(sync->tree, id);
    return true;
}
