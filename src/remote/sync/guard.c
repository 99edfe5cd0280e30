/* SPDX-License-Identifier: Apache-2.0 */
/* The guard against mass deletion. It looks at what one turn would remove, and at sprees: removals
 * that follow each other without a pause, since a tree that is removed slowly, file by file, is
 * one of which only a few are missing in every turn. What arrives meanwhile counts against
 * them: moving everything is no loss. By number, not by content: somebody who switches to another
 * branch or rebuilds a tree means it, while a folder that is lost, unmounted or emptied brings
 * nothing new. So as many new names do let as many others go unasked. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sync/engine_internal.h"

enum {
    GUARD_LEAST = 10,
    SPREE_PAUSE_US = 10 * 1000 * 1000,
    CREDIT_US = 1000 * 1000, /* a new name comes before the old one goes, but not long before */
};

bool guard_set(struct sync *sync, const char *format, ...)
{
    char before[sizeof sync->guard];
    va_list arguments;
    memcpy(before, sync->guard, sizeof before);
    va_start(arguments, format);
    vsnprintf(sync->guard, sizeof sync->guard, format, arguments);
    va_end(arguments);
    return strcmp(before, sync->guard) != 0;
}

size_t spree_size(const struct sync *sync, enum guard_side side)
{
    const struct spree *spree = &sync->spree[side];
    return sync->now_us - spree->last_us > SPREE_PAUSE_US ? 0 : spree->lost;
}

void spree_add(struct sync *sync, enum guard_side side, size_t removals, size_t arrivals)
{
    struct spree *spree = &sync->spree[side];
    spree->lost = spree_size(sync, side);
    if (sync->now_us - spree->credit_us > CREDIT_US)
        spree->credit = 0;
    if (sync->allow_removals)
        removals = 0;
    size_t made_up = arrivals < spree->lost ? arrivals : spree->lost;
    spree->lost -= made_up;
    spree->credit += arrivals - made_up;
    if (arrivals)
        spree->credit_us = sync->now_us;
    size_t moved = removals < spree->credit ? removals : spree->credit;
    spree->credit -= moved;
    spree->lost += removals - moved;
    if (removals > moved)
        spree->last_us = sync->now_us;
}

static bool is_removal(const struct sync *sync, uint32_t id)
{
    const struct node *node = node_at(sync, id);
    return !node->local.kind && sync_theirs(sync, node)->kind &&
           node_verdict(sync, node) == VERDICT_PUSH;
}

bool guard_trips(struct sync *sync, size_t removals, enum guard_side side)
{
    static const char *const names[] = {"on the other side", "here"};
    size_t total = tree_count(sync->tree) - 1;
    size_t before = spree_size(sync, side);
    bool waits = sync->withheld.count > 0; /* for an answer: until then nothing is deleted */
    removals += sync->withheld.count;
    bool most = removals * 2 > total && (removals >= GUARD_LEAST || sync->root_replaced);
    bool all = removals >= total && (removals >= 3 || sync->root_replaced);
    bool slowly = before && (removals + before) * 2 > total + before &&
                  removals + before >= GUARD_LEAST; /* those before are not in the tree any more */
    if (sync->allow_removals || (!waits && !most && !all && !slowly))
        return false;
    bool told = waits && *sync->guard;
    char already[64] = "";
    if (before)
        snprintf(already, sizeof already, " (%zu are already)", before);
    snprintf(sync->guard, sizeof sync->guard,
             "%zu of %zu entries would be deleted %s%s: nothing%s is deleted until you say so "
             "(--allow-mass-delete, or vma sync resume --allow-mass-delete)",
             removals + before, total + before, names[side], already, before ? " more" : "");
    if (!told)
        sync_tell(sync, SYNC_EVENT_GUARD, "", sync->guard);
    return true;
}

void withhold(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    if (node->flags & NODE_WITHHELD)
        return;
    node->flags |= NODE_WITHHELD;
    ids_add(&sync->withheld, id);
}

void guard_review(struct sync *sync)
{
    size_t kept = 0, count = sync->withheld.count;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = sync->withheld.items[i];
        struct node *node = node_at(sync, id);
        if (!node->local.kind != !node->remote.kind)
            sync->withheld.items[kept++] = id;
        else
            node->flags &= ~NODE_WITHHELD;
    }
    sync->withheld.count = kept;
    if (!count || kept || !sync_stands(sync))
        return;
    sync->guard[0] = '\0';
    sync_tell(sync, SYNC_EVENT_STATE, "", "back");
}

/* Takes removals out of the work when they are too many, or when it is the folder that is gone: a
 * scan will tell. */
void guard_items(struct sync *sync, struct wave_item *items, size_t *count)
{
    size_t removals = 0, arrivals = 0, kept = 0;
    for (size_t i = 0; i < *count; i++) {
        const struct node *node = node_at(sync, items[i].id);
        removals += is_removal(sync, items[i].id);
        arrivals += node->local.kind && !sync_theirs(sync, node)->kind;
    }
    if (sync->options.role ==
        SYNC_REMOTE) { /* the laptop decides; this side only waits for the end */
        spree_add(sync, GUARD_THERE, removals, arrivals);
        return;
    }
    bool moved = arrivals >= removals; /* a renamed folder is not a loss */
    bool gone = removals && !local_root_stands(sync);
    bool trips = removals && !gone && !moved && guard_trips(sync, removals, GUARD_THERE);
    if (gone)
        local_scan_again(sync, 0);
    spree_add(sync, GUARD_THERE, trips || gone ? 0 : removals, arrivals);
    for (size_t i = 0; i < *count; i++) {
        bool removal = is_removal(sync, items[i].id);
        if (removal && trips)
            withhold(sync, items[i].id);
        else if (removal && !gone)
            node_at(sync, items[i].id)->flags |= NODE_MOVABLE;
        if (!removal || (!trips && !gone))
            items[kept++] = items[i];
    }
    *count = kept;
}
