/* SPDX-License-Identifier: Apache-2.0 */
/* What became of what was sent: answers to batches, and forgetting it all when the link is gone. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "sync/chunk.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/sender.h"
#include "sync/snapshot.h"

enum {
    RETRY_FULL_US = 5 * 1000 * 1000,
    RETRY_FULL_LARGE_US = 60 * 1000 * 1000,
    RETRY_CONTENT_US = 50 * 1000,
};

static struct inflight *take_inflight(struct sync *sync, uint64_t sequence)
{
    for (struct inflight **link = &sync->inflight; *link; link = &(*link)->next) {
        struct inflight *sent = *link;
        if (sent->sequence != sequence)
            continue;
        *link = sent->next;
        if (!sent->next)
            sync->inflight_end = link;
        sync->inflight_ops -= sent->count;
        return sent;
    }
    return NULL;
}

/* Rules may have come while it was on its way: whatever is there, it is no concern of ours now. */
static bool ignored_meanwhile(struct sync *sync, const struct inflight_op *op)
{
    char path[TREE_PATH_LIMIT];
    struct node *node = node_at(sync, op->id);
    if (node->local.kind || !op->entry.kind ||
        !ignore_match_path(sync->ignore, tree_path(sync->tree, op->id, path),
                           op->entry.kind == ENTRY_DIR))
        return false;
    node->base = node->remote = (struct entry){0};
    return true;
}

static void accepted(struct sync *sync, const struct inflight_op *op)
{
    struct node *node = node_at(sync, op->id);
    if (ignored_meanwhile(sync, op))
        return;
    node_meet(sync, node, &op->entry);
    if (!node->pending)
        node->remote = op->entry;
    if (!op->entry.kind)
        node_try_parent(sync, op->id);
    node->flags &= ~(NODE_FULL | NODE_FAILED);
    journal_add(sync, JOURNAL_AGREED, op->id, &op->entry);
}

/* The folder around it was there once, or was refused itself: then so is this, until something
 * makes that worth another try. */
static void parent_missing(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id), *parent = node_at(sync, node->parent);
    bool believed = parent->remote.kind == ENTRY_DIR;
    if (node->parent == TREE_ROOT || (!believed && parent->flags & NODE_FAILED)) {
        node->flags |= NODE_FAILED;
        return;
    }
    if (believed) {
        parent->remote = (struct entry){0};
        parent->flags &= ~NODE_FAILED;
    }
    sync->refusals++;
    mark_dirty(sync, node->parent);
    mark_dirty(sync, id);
}

static void refused(struct sync *sync, const struct inflight_op *op,
                    const struct sync_failure *failure)
{
    char path[TREE_PATH_LIMIT];
    char text[SYNC_TEXT_SIZE];
    text_show(failure->text, text, sizeof text);
    struct node *node = node_at(sync, op->id);
    if (ignored_meanwhile(sync, op))
        return;
    tree_path(sync->tree, op->id, path);
    node->remote = failure->actual;
    switch ((enum sync_refusal)failure->refusal) {
    case REFUSAL_CHANGED:
        sync->refusals++;
        mark_dirty(sync, op->id);
        break;
    case REFUSAL_CONTENT:
        sync->refusals++;
        if (node->flags & NODE_FULL)
            local_hold(sync, op->id, RETRY_CONTENT_US, false);
        else
            mark_dirty(sync, op->id);
        node->flags |= NODE_FULL;
        break;
    case REFUSAL_FAILED: /* a folder is tried with everything in it, and told once */
        if (!(node->flags & NODE_FAILED))
            sync_problem(sync, path, text);
        node->flags |= NODE_FAILED;
        break;
    case REFUSAL_PINNED:
        node->flags |= NODE_PINNED;
        node->base = (struct entry){0};
        if (op->entry.kind) { /* it is in the way of something that was saved */
            sync_problem(sync, path, text);
            node->flags |= NODE_FAILED;
        } else {
            sync_tell(sync, SYNC_EVENT_NOTE, path, text);
        }
        break;
    case REFUSAL_PARENT:
        parent_missing(sync, op->id);
        break;
    case REFUSAL_FULL:
        if (!(node->flags & NODE_FAILED)) /* it is tried again and again, and told once */
            sync_problem(sync, path, text);
        node->flags |= NODE_FAILED;
        local_hold(sync, op->id,
                   node->local.size < CHUNK_FILE_MIN ? RETRY_FULL_US : RETRY_FULL_LARGE_US, true);
        break;
    }
}

static void settled(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    if (node->pending && --node->pending == 0)
        node->flags &= ~NODE_BULK;
}

/* What waited for an answer is looked at again. */
static void wake_waiting(struct sync *sync)
{
    struct ids ids = sync->waiting;
    sync->waiting = (struct ids){0};
    for (size_t i = 0; i < ids.count; i++) {
        node_at(sync, ids.items[i])->flags &= ~NODE_AGAIN;
        mark_dirty(sync, ids.items[i]);
    }
    free(ids.items);
}

bool push_acknowledge(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_ack ack;
    if (!sync_ack_decode(&payload, &ack, err))
        return false;
    AUTO(mem_free) struct inflight *sent = take_inflight(sync, ack.sequence);
    if (!sent && ack.sequence <= sync->forgotten)
        return true;
    if (!sent)
        return error_set(err, ERROR_INVALID, "an answer to a batch that was not sent");
    AUTO(mem_free) bool *failed = xcalloc(sent->count, sizeof *failed);
    for (size_t i = 0; i < sent->count; i++)
        settled(sync, sent->ops[i].id);
    for (uint64_t i = 0; i < ack.count; i++) {
        struct sync_failure failure;
        if (!sync_failure_decode(&payload, &failure, err))
            return false;
        if (failure.index >= sent->count || failed[failure.index])
            return error_set(err, ERROR_INVALID, "an answer about a change that was not sent");
        failed[failure.index] = true;
        refused(sync, &sent->ops[failure.index], &failure);
    }
    for (size_t i = 0; i < sent->count; i++)
        if (!failed[i])
            accepted(sync, &sent->ops[i]);
    for (size_t i = 0; i < sent->count; i++)
        if (!(node_at(sync, sent->ops[i].id)->flags & NODE_FREE))
            tree_prune(sync->tree, sent->ops[i].id);
    journal_flush(sync);
    if (sync->waiting.count)
        wake_waiting(sync);
    return true;
}

/* What is on its way is not answered any more. */
static void forget_inflight(struct sync *sync)
{
    sending_drop(sync);
    for (struct inflight *sent = sync->inflight, *next; sent; sent = next) {
        next = sent->next;
        for (size_t i = 0; i < sent->count; i++) {
            candidate_sent(sync, sent->ops[i].id, &sent->ops[i].entry);
            settled(sync, sent->ops[i].id);
        }
        free(sent);
    }
    sync->inflight = NULL;
    sync->inflight_end = &sync->inflight;
    sync->inflight_ops = 0;
    for (uint32_t id = TREE_ROOT; id < tree_limit(sync->tree); id++)
        node_at(sync, id)->flags &= ~(NODE_WANTED | NODE_OUTDATED | NODE_ASK);
    sync->want_open = 0;
    sync->wanted.count = 0;
    sync->forgotten = sync->sequence;
}

void push_forget(struct sync *sync, bool inflight)
{
    if (inflight)
        forget_inflight(sync);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct draft *draft = &sync->draft[lane];
        for (size_t i = 0; i < draft->count && sync->options.role == SYNC_LAPTOP; i++)
            settled(sync, draft->sent[i].id);
        draft->count = 0;
        draft->memory.size = 0;
        buf_clear(&draft->ops);
    }
    for (; sync->wave_at < sync->wave_count; sync->wave_at++)
        node_at(sync, sync->wave[sync->wave_at].id)->flags &= ~(NODE_QUEUED | NODE_MOVABLE);
    for (; sync->dense_at < sync->dense.count; sync->dense_at++)
        node_at(sync, sync->dense.items[sync->dense_at])->flags &= ~(NODE_QUEUED | NODE_MOVABLE);
    for (size_t i = 0; i < sync->large.count; i++)
        node_at(sync, sync->large.items[i])->flags &= ~NODE_QUEUED;
    sync->large.count = 0;
    for (size_t i = 0; i < sync->late.count; i++)
        node_at(sync, sync->late.items[i])->flags &= ~(NODE_LATE | NODE_MOVABLE);
    sync->late.count = 0;
    wake_waiting(sync);
}
