/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving on the laptop: what the remote side tells, and what it sends when asked. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/pieces.h"
#include "sync/snapshot.h"
#include "sync/stage.h"

enum { WANT_PATHS = 500, MAX_DEPTH = 600 };

void node_calm(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    node->flags &= ~NODE_FAILED;
    if (node->flags & NODE_CONFLICT) {
        node->flags &= ~NODE_CONFLICT;
        sync->conflicts--;
    }
}

void node_agree(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    node_calm(sync, id);
    node->flags &= ~NODE_PINNED;
    node_meet(sync, node, &node->local);
    pieces_look(sync, &node->base);
    journal_add(sync, JOURNAL_AGREED, id, &node->base);
}

void node_try_parent(struct sync *sync, uint32_t id)
{
    uint32_t parent = node_at(sync, id)->parent;
    if (!(node_at(sync, parent)->flags & NODE_PINNED))
        return;
    node_at(sync, parent)->flags &= ~NODE_PINNED;
    mark_dirty(sync, parent);
}

void node_conflict(struct sync *sync, uint32_t id)
{
    char path[TREE_PATH_LIMIT];
    struct node *node = node_at(sync, id);
    if (node->flags & NODE_CONFLICT)
        return;
    node->flags |= NODE_CONFLICT;
    sync->conflicts++;
    sync_tell(sync, SYNC_EVENT_CONFLICT, tree_path(sync->tree, id, path),
              "changed on both sides: kept as they are until one is chosen (vma sync resolve)");
}

/* --- Pieces, on either side ---------------------------------------------------------------- */

/* The old file, if it is what the sender believes. */
static int open_old(struct sync *sync, const struct sync_piece *piece)
{
    struct error err;
    const char *name;
    AUTO(mem_free) char *path = xstrndup((const char *)piece->from.data, piece->from.size);
    uint32_t id = tree_lookup(sync->tree, piece->from);
    AUTO(fd_close) int parent = open_parent(sync->root, path, &name);
    if (!id || parent < 0 || !examine(parent, name, node_at(sync, id), &err) ||
        !hash128_equal(node_at(sync, id)->local.hash, piece->from_hash))
        return -1;
    return openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

bool receive_piece(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_piece piece;
    struct error failed;
    if (!sync_piece_decode(&payload, &piece, err))
        return false;
    if (!sync->stage)
        return error_set(err, ERROR_INVALID, "a piece before there is a folder");
    if (piece.flags & PIECE_DROPPED) {
        stage_abandon(sync->stage, piece.transfer);
        stage_rest(sync->stage);
        return true;
    }
    bool good = true;
    AUTO(buf_dispose) struct buf scratch = BUF(SYNC_MESSAGE_MAX);
    if (piece.flags & PIECE_FIRST) {
        int from = piece.from.size ? open_old(sync, &piece) : -1;
        good = stage_begin(sync->stage, piece.transfer, piece.size, from, &failed);
    }
    while (payload.size) {
        struct sync_run run;
        if (!sync_run_decode(&payload, &run, err))
            return false;
        if (good)
            good = run.copy
                       ? stage_write_old(sync->stage, piece.transfer, run.offset, run.size, &failed)
                       : filter_undo_into(&run.filter, &run.bytes, &scratch, &failed) &&
                             stage_write(sync->stage, piece.transfer, run.bytes, &failed);
    }
    if (!good) /* told with the answer to its batch */
        stage_fail(sync->stage, piece.transfer, &failed);
    return true;
}

/* --- What the remote side tells ------------------------------------------------------------ */

static void told(void *context, const struct applied *applied)
{
    struct sync *sync = context;
    struct node *node = node_at(sync, applied->node);
    if (!applied->refusal) {
        node_meet(sync, node, &applied->entry);
        node->remote = applied->entry;
        node->flags &= ~(NODE_FULL | NODE_FAILED);
        pieces_look(sync, &node->base);
        node_calm(sync, applied->node);
        journal_add(sync, JOURNAL_AGREED, applied->node, &node->base);
        sync_tell(sync, SYNC_EVENT_APPLIED, applied->path, "");
        return;
    }
    switch (applied->refusal) {
    case REFUSAL_PARENT:
        if (node_at(sync, node->parent)->flags & NODE_FAILED) {
            node->flags |= NODE_FAILED;
            break;
        }
        /* fall through */
    case REFUSAL_CHANGED:
        node->flags |= NODE_TOUCHED;
        mark_dirty(sync, applied->node);
        break;
    case REFUSAL_PINNED: /* it goes back to the other side unless only ignored things are in it */
        node->flags |= NODE_PINNED;
        node->base = (struct entry){0};
        break;
    case REFUSAL_CONTENT: /* whole then */
        node->flags |= NODE_FULL;
        ids_add(&sync->wanted, applied->node);
        break;
    case REFUSAL_FAILED:
    case REFUSAL_FULL:
        if (!(node->flags & NODE_FAILED))
            sync_problem(sync, applied->path, applied->text);
        node->flags |= NODE_FAILED;
        break;
    }
}

static void commit(struct sync *sync)
{
    journal_flush(sync);
    applier_commit(sync->applier, told, sync);
    stage_rest(sync->stage);
    journal_flush(sync);
}

static void add_pull(struct sync *sync, uint32_t id, const struct sync_op *content)
{
    char path[TREE_PATH_LIMIT];
    const struct node *node = node_at(sync, id);
    struct sync_op op = {.path = bytes_of(tree_path(sync->tree, id, path)),
                         .expect = node->local,
                         .entry = node->remote};
    if (content) {
        op.source = content->source;
        op.content = content->content;
        op.transfer = content->transfer;
    }
    if (!node->local.kind && node->remote.kind)
        spree_add(sync, GUARD_HERE, 0, 1);
    journal_add(sync, JOURNAL_TAKEN, id, &op.entry);
    applier_add(sync->applier, &op);
}

/* Folders around what is pulled come back if they were deleted here. False when a file or link
 * stands in their place. */
static bool ensure_local_parents(struct sync *sync, uint32_t id)
{
    uint32_t missing[MAX_DEPTH];
    size_t count = 0;
    for (id = node_at(sync, id)->parent; id > TREE_ROOT; id = node_at(sync, id)->parent) {
        const struct node *node = node_at(sync, id);
        if (node->local.kind == ENTRY_DIR)
            break;
        if (node->local.kind || node->remote.kind != ENTRY_DIR || count == MAX_DEPTH)
            return false;
        missing[count++] = id;
    }
    while (count) {
        node_at(sync, missing[--count])->flags &= ~NODE_PINNED;
        add_pull(sync, missing[count], NULL);
    }
    return true;
}

static bool refresh(struct sync *sync, uint32_t id)
{
    char path[TREE_PATH_LIMIT];
    const char *name;
    struct error err;
    struct node *node = node_at(sync, id);
    AUTO(fd_close) int parent = open_parent(sync->root, tree_path(sync->tree, id, path), &name);
    if (parent < 0) {
        node->local = (struct entry){0};
        return true;
    }
    if (examine(parent, name, node, &err))
        return true;
    sync_problem(sync, path, err.text);
    return false;
}

/* Decides about one path of which the other side's state is new. True when it takes the content. */
static bool consider(struct sync *sync, uint32_t id, const struct sync_op *op)
{
    struct node *node = node_at(sync, id);
    if (!refresh(sync, id))
        return false;
    bool has_content = node->remote.kind == ENTRY_FILE || node->remote.kind == ENTRY_LINK;
    bool only_mode = entry_same_content(&node->local, &node->remote);
    switch (node_verdict(sync, node)) {
    case VERDICT_NONE:
        node_calm(sync, id);
        break;
    case VERDICT_AGREE:
        node_agree(sync, id);
        break;
    case VERDICT_PUSH:
        mark_dirty(sync, id);
        break;
    case VERDICT_CONFLICT:
        node_conflict(sync, id);
        break;
    case VERDICT_PULL:
        if (!node->remote.kind) {
            ids_add(&sync->wanted, id); /* removals pass the guard there */
            break;
        }
        if (!ensure_local_parents(sync, id))
            break;
        if (has_content && !only_mode && (!op || op->source == SOURCE_NONE)) {
            ids_add(&sync->wanted, id);
            break;
        }
        add_pull(sync, id, only_mode ? NULL : op);
        return !only_mode;
    }
    return false;
}

static void drop_pieces(struct sync *sync, const struct sync_op *op)
{
    if (op->source == SOURCE_PIECES)
        stage_abandon(sync->stage, op->transfer);
}

/* What was asked for comes in a lane of its own. So it may be from before a change of ours that was
 * answered since, or from after it and before its answer is here: nobody can tell, and the other
 * side believes that it told. It is asked again, behind our change. */
static void ask_again(struct sync *sync, uint32_t id, const struct sync_op *op)
{
    drop_pieces(sync, op);
    node_at(sync, id)->flags |= NODE_ASK;
    ids_add(&sync->wanted, id);
}

/* The other side goes on from what it listed while this one still looks at its own tree: what it
 * has is decided about when that is known. */
static void note_early(struct sync *sync, uint32_t id, const struct sync_op *op, bool pulled)
{
    struct node *node = node_at(sync, id);
    node->flags &= ~NODE_WANTED;
    if (pulled) {
        ask_again(sync, id, op);
        return;
    }
    drop_pieces(sync, op);
    if (!node->pending && sync->list_complete)
        node->remote = op->entry;
    tree_prune(sync->tree, id);
}

bool pull_batch(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_batch batch;
    struct path_memory memory = {0};
    if (!sync_batch_decode(&payload, &batch, err))
        return false;
    for (uint64_t i = 0; i < batch.count; i++) {
        struct sync_op op;
        if (!sync_op_decode(&payload, &memory, &op, err))
            return false;
        if (op.source == SOURCE_COPY || op.source == SOURCE_MOVE)
            return error_set(err, ERROR_INVALID, "the remote side sends a copy");
        bool is_dir = op.entry.kind == ENTRY_DIR || op.expect.kind == ENTRY_DIR;
        bool pulled = batch.flags & BATCH_PULLED;
        uint32_t id = tree_make(sync->tree, op.path);
        struct node *node = node_at(sync, id);
        sync->want_open -= node->flags & NODE_WANTED && sync->want_open;
        if (ignore_match_path(sync->ignore, memory.text, is_dir)) {
            node->flags &= ~NODE_WANTED;
            drop_pieces(sync, &op);
            tree_prune(sync->tree, id);
            continue;
        }
        if (!sync->live) {
            note_early(sync, id, &op, pulled);
            continue;
        }
        /* A report has overtaken it: the node knows, or was forgotten since. */
        bool overtaken =
            (uint32_t)batch.sequence < node->told || (pulled && !(node->flags & NODE_WANTED));
        bool outdated = node->flags & NODE_OUTDATED || node->pending || overtaken;
        node->flags &= ~(NODE_WANTED | NODE_PINNED | (pulled ? NODE_OUTDATED : NODE_FAILED));
        bool known = !node->pending && entry_equal(&op.entry, &node->remote);
        if (pulled && outdated && !known) {
            ask_again(sync, id, &op);
            continue;
        }
        if (node->pending) { /* crossed our own change: its answer will say what is there */
            drop_pieces(sync, &op);
            push_wait(sync, id);
            continue;
        }
        if (node->told < (uint32_t)batch.sequence)
            node->told = (uint32_t)batch.sequence;
        node->remote = op.entry;
        if (!op.entry.kind)
            node_try_parent(sync, id);
        if (!consider(sync, id, &op))
            drop_pieces(sync, &op);
        tree_prune(sync->tree, id);
    }
    commit(sync);
    return true;
}

static bool send_want(struct sync *sync, struct buf *paths, struct path_memory *memory,
                      struct error *err)
{
    if (!paths->size)
        return true;
    bool done = sync_send(sync, LANE_FAST, SYNC_WANT, buf_bytes(paths), err);
    buf_clear(paths);
    memory->size = 0;
    return done;
}

static int deepest_first(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

/* Removals on this side, deepest first, when they are not too many. */
static void remove_local(struct sync *sync, const struct ids *ids)
{
    size_t count = 0;
    AUTO(mem_free) uint64_t *ordered = xcalloc(ids->count, sizeof *ordered);
    for (size_t i = 0; i < ids->count; i++) {
        uint32_t id = ids->items[i];
        const struct node *node = node_at(sync, id);
        if (node->flags & (NODE_FREE | NODE_WITHHELD) || node->remote.kind || !refresh(sync, id) ||
            node_verdict(sync, node) != VERDICT_PULL)
            continue;
        uint64_t depth = 0;
        for (uint32_t up = id; up > TREE_ROOT; up = node_at(sync, up)->parent)
            depth++;
        ordered[count++] = depth << 32 | id;
    }
    bool trips = count && guard_trips(sync, count, GUARD_HERE);
    if (!trips)
        spree_add(sync, GUARD_HERE, count, 0);
    qsort(ordered, count, sizeof *ordered, deepest_first);
    for (size_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)ordered[i];
        if (trips)
            withhold(sync, id);
        else
            add_pull(sync, id, NULL);
    }
}

bool pull_wanted(struct sync *sync, struct error *err)
{
    if (sync->wanted.count == 0)
        return true;
    AUTO(ids_dispose) struct ids ids = sync->wanted;
    sync->wanted = (struct ids){0};
    AUTO(buf_dispose) struct buf paths = BUF(SYNC_MESSAGE_MAX);
    struct path_memory memory = {0};
    char path[TREE_PATH_LIMIT];
    size_t wanted = 0;
    for (size_t i = 0; i < ids.count; i++) {
        struct node *node = node_at(sync, ids.items[i]);
        bool ask = node->flags & NODE_ASK;
        node->flags &= ~NODE_ASK;
        if (node->flags & (NODE_FREE | NODE_WANTED))
            continue;
        if (!ask && (!node->remote.kind || node_verdict(sync, node) != VERDICT_PULL ||
                     !ensure_local_parents(sync, ids.items[i])))
            continue;
        if (!ask &&
            (node->remote.kind == ENTRY_DIR || entry_same_content(&node->local, &node->remote))) {
            add_pull(sync, ids.items[i], NULL);
            continue;
        }
        node->flags |= NODE_WANTED;
        sync->want_open++;
        struct sync_wanted want = {.path = bytes_of(tree_path(sync->tree, ids.items[i], path)),
                                   .has = node->local.kind == ENTRY_FILE &&
                                          !(node->flags & (NODE_UNHASHED | NODE_FULL)),
                                   .old = node->local.hash};
        if (!sync_wanted_encode(&want, &memory, &paths, err) ||
            (++wanted % WANT_PATHS == 0 && !send_want(sync, &paths, &memory, err)))
            return false;
    }
    remove_local(sync, &ids);
    commit(sync);
    for (size_t i = 0; i < ids.count; i++) {
        struct node *node = node_at(sync, ids.items[i]);
        if (node->flags & NODE_FREE)
            continue;
        if (node->flags & NODE_PINNED && node->local.kind == ENTRY_DIR && !node->remote.kind &&
            node->child)
            node_unpin_if_used(sync, ids.items[i]);
        tree_prune(sync->tree, ids.items[i]);
    }
    return send_want(sync, &paths, &memory, err);
}

void pull_refused(struct sync *sync, struct bytes path)
{
    uint32_t id = tree_lookup(sync->tree, path);
    if (!id || !(node_at(sync, id)->flags & NODE_WANTED))
        return;
    node_at(sync, id)->flags &= ~NODE_WANTED;
    node_at(sync, id)->flags |= NODE_FAILED;
    sync->want_open -= sync->want_open > 0;
}

void node_unpin_if_used(struct sync *sync, uint32_t id)
{
    for (uint32_t at = tree_next(sync->tree, id, id); at; at = tree_next(sync->tree, at, id))
        if (node_at(sync, at)->local.kind) {
            node_at(sync, id)->flags &= ~NODE_PINNED;
            mark_dirty(sync, id);
            return;
        }
}
