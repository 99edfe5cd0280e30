/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: what is dirty becomes batches. A few changes go at once in the fast lane; many, and
 * the first copy, are a wave in the bulk lane, sorted so that like files meet in the compressor's
 * memory, folder after folder of each kind. Folders come first, removals last: also behind large
 * files that were saved just before, which wait for the bulk lane (late.c). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "base/mem.h"
#include "sync/chunk.h"
#include "sync/dense.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/level.h"
#include "sync/packing.h"
#include "sync/sender.h"
#include "sync/snapshot.h"
#include "sys/fs.h"

enum {
    FEW = 4, /* that many go without waiting for more */
    BURST_QUIET_US = 3 * 1000,
    BURST_MAX_US = 40 * 1000,
    PENDING_MAX = 4,          /* saves of one file under way */
    BATCH_MARGIN = 64 * 1024, /* most batches grow no further */
    NEAR_BYTES = 2 << 20,     /* where the other side takes what is not compressed: no … */
    NEAR_OPS = 8000,          /* … more has to wait for it, and memory is saved */
    /* With less before the link it is filled up, before the level falls: dense files are what lets
     * the compressor be slower than the link for a while. */
    LINE_LITTLE = QUEUE_BYTES * 2 / 3,
    ROOM_BYTES = 640 * 1024,  /* with so much room again one goes on       */
    DENSE_ALONE = 256 * 1024, /* files of that size are looked at one by one … */
    DENSE_PROBES = 5,
    DENSE_MOST = 4096, /* … of smaller ones that many of each kind     */
};
static_assert((int)LINE_LITTLE > (int)LEVEL_QUEUED_MUCH, "dense files keep the level where it is");

enum verdict node_verdict(const struct sync *sync, const struct node *node)
{
    if (sync->options.role == SYNC_REMOTE)
        return entry_equal(&node->local, &node->base) ? VERDICT_NONE : VERDICT_PUSH;
    bool kept = node->flags & NODE_PINNED &&
                (node->local.kind == ENTRY_NONE || node->remote.kind == ENTRY_NONE);
    if (kept)
        return VERDICT_NONE;
    /* What is on its way counts as agreed: if it is refused, its answer says what is there. */
    struct triple triple = {node->local, node->pending ? node->remote : node->base, node->remote};
    return reconcile(sync->options.mode, &triple);
}

/* --- Batches ------------------------------------------------------------------------------- */

bool draft_send(struct sync *sync, enum sync_lane lane, bool more, struct error *err)
{
    struct draft *draft = &sync->draft[lane];
    if (draft->count == 0)
        return true;
    bool laptop = sync->options.role == SYNC_LAPTOP;
    uint8_t direction = laptop ? 0 : lane == LANE_FAST ? BATCH_REPORT : BATCH_PULLED;
    struct sync_batch batch = {.sequence = draft->sequence,
                               .flags = direction | (more ? BATCH_MORE : 0),
                               .count = draft->count};
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    if (!sync_batch_encode(&batch, &payload, err))
        return false;
    journal_flush(sync);
    if (laptop) {
        struct inflight *sent = xmalloc(sizeof *sent + draft->count * sizeof *sent->ops);
        *sent = (struct inflight){.sequence = batch.sequence, .lane = lane, .count = draft->count};
        memcpy(sent->ops, draft->sent, draft->count * sizeof *sent->ops);
        *sync->inflight_end = sent;
        sync->inflight_end = &sent->next;
        sync->inflight_ops += draft->count;
        for (size_t i = 0; i < draft->count; i++)
            copies_add(sync, draft->sent[i].id);
    }
    draft->count = 0;
    draft->memory.size = 0;
    bool done = lane == LANE_BULK ? sync_send_bulk(sync, SYNC_BATCH, draft->apart,
                                                   buf_bytes(&payload), &draft->ops, err)
                                  : buf_append(&payload, buf_bytes(&draft->ops), err) &&
                                        sync_send(sync, lane, SYNC_BATCH, buf_bytes(&payload), err);
    buf_clear(&draft->ops);
    if (draft->ops.capacity > 4 * BATCH_BYTES)
        buf_dispose(&draft->ops);
    return done;
}

bool draft_add(struct sync *sync, enum sync_lane lane, const struct sync_op *op, uint32_t id,
               struct error *err)
{
    struct draft *draft = &sync->draft[lane];
    struct node *node = node_at(sync, id);
    if (draft->apart != (lane == LANE_BULK && sync->dense_turn) &&
        !draft_send(sync, lane, true, err))
        return false;
    draft->apart = lane == LANE_BULK && sync->dense_turn;
    if (lane == LANE_BULK && sync->packing)
        packing_reuse(sync->packing, &draft->ops);
    if (lane == LANE_BULK && draft->ops.capacity == 0 &&
        !buf_reserve(&draft->ops, BATCH_BYTES + BATCH_MARGIN, err))
        return false;
    if (!sync_op_encode(op, &draft->memory, &draft->ops, err))
        return false;
    if (draft->count == draft->capacity) {
        draft->capacity = draft->capacity ? draft->capacity * 2 : 64;
        draft->sent = xreallocarray(draft->sent, draft->capacity, sizeof *draft->sent);
    }
    if (draft->count == 0) /* numbered from the first: nothing in it is newer than what follows */
        draft->sequence = ++sync->sequence;
    draft->sent[draft->count++] = (struct inflight_op){id, op->entry};
    sync->changes++;
    if (sync->options.role == SYNC_LAPTOP) {
        node->remote = op->entry;
        node->pending++;
        if (node->flags & NODE_WANTED) /* it may be on its way, in the other lane */
            node->flags |= NODE_OUTDATED;
        if (lane == LANE_BULK)
            node->flags |= NODE_BULK;
        journal_add(sync, JOURNAL_SENT, id, &op->entry);
    } else {
        node->base = op->entry;
    }
    if (draft->ops.size >= BATCH_BYTES || draft->count >= BATCH_OPS)
        return draft_send(sync, lane, true, err);
    return true;
}

/* --- Order --------------------------------------------------------------------------------- */

static uint32_t depth_of(const struct sync *sync, uint32_t id)
{
    uint32_t depth = 0;
    for (; id > TREE_ROOT; id = node_at(sync, id)->parent)
        depth++;
    return depth;
}

/* In a place where a file or link is to be: it must go before that can come. */
bool node_in_the_way(const struct sync *sync, uint32_t id)
{
    for (id = node_at(sync, id)->parent; id > TREE_ROOT; id = node_at(sync, id)->parent) {
        uint8_t kind = node_at(sync, id)->local.kind;
        if (kind)
            return kind != ENTRY_DIR;
    }
    return false;
}

static struct wave_item item_for(const struct sync *sync, uint32_t id, uint32_t rank)
{
    const struct node *node = node_at(sync, id);
    struct wave_item item = {.id = id, .depth = depth_of(sync, id), .rank = rank};
    item.class = node->local.kind == ENTRY_DIR ? WAVE_FOLDER
                 : node->local.kind            ? WAVE_CONTENT
                 : node_in_the_way(sync, id)   ? WAVE_CLEAR
                                               : WAVE_REMOVE;
    struct bytes name = tree_name(sync->tree, id);
    for (size_t i = name.size; i-- > 1;)
        if (name.data[i] == '.') {
            struct bytes extension = {name.data + i, name.size - i};
            item.extension = read_u32(hash128_of(extension).bytes);
            break;
        }
    return item;
}

static int by_order(const void *a, const void *b)
{
    const struct wave_item *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    bool up = x->class == WAVE_FOLDER, down = x->class != WAVE_FOLDER && x->class != WAVE_CONTENT;
    if ((up || down) && x->depth != y->depth)
        return (x->depth < y->depth) == up ? -1 : 1;
    if (x->class == WAVE_CONTENT && x->extension != y->extension)
        return x->extension < y->extension ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* --- Express ------------------------------------------------------------------------------- */

/* Brings kind, size and mode of a dirty path up to date; what follows from that becomes dirty
 * as well, at the end of the list. */
static void look(struct sync *sync, uint32_t id)
{
    char path[TREE_PATH_LIMIT];
    struct stat stat;
    struct error err;
    struct node *node = node_at(sync, id);
    tree_path(sync->tree, id, path);
    bool there = fstatat(sync->root, path, &stat, AT_SYMLINK_NOFOLLOW) == 0;
    bool usable =
        there && (S_ISDIR(stat.st_mode) || S_ISREG(stat.st_mode) || S_ISLNK(stat.st_mode));
    bool is_dir = usable && S_ISDIR(stat.st_mode);
    if (node->local.kind && (!usable || (is_dir != (node->local.kind == ENTRY_DIR))))
        local_gone(sync, id);
    if (!usable)
        return;
    if (is_dir) {
        bool known = node->local.kind == ENTRY_DIR &&
                     (!sync->watch || sync->unwatched || local_watched(sync, id));
        node->local =
            (struct entry){.kind = ENTRY_DIR, .mode = (uint16_t)(stat.st_mode & ENTRY_MODE_MASK)};
        if (!known && !local_scan(sync, path, &err))
            local_gone(sync, id);
        return;
    }
    enum entry_kind kind = S_ISLNK(stat.st_mode) ? ENTRY_LINK : ENTRY_FILE;
    bool same = node->local.kind == kind && node->local.size == (uint64_t)stat.st_size &&
                node->mtime_ns == fs_mtime_ns(&stat) && node->ctime_ns == fs_ctime_ns(&stat) &&
                node->inode == stat.st_ino && !(node->flags & NODE_TOUCHED);
    if (same)
        return;
    node->local.kind = kind;
    node->local.size = (uint64_t)stat.st_size;
    node->local.mode = kind == ENTRY_LINK ? 0 : (uint16_t)(stat.st_mode & ENTRY_MODE_MASK);
    node->flags |= NODE_UNHASHED;
}

void push_wait(struct sync *sync, uint32_t id)
{
    struct node *node = node_at(sync, id);
    if (!(node->flags & NODE_AGAIN))
        ids_add(&sync->waiting, id);
    node->flags |= NODE_AGAIN;
}

static bool bulk_is_on_it(const struct sync *sync, uint32_t id)
{
    for (; id > TREE_ROOT; id = node_at(sync, id)->parent)
        if (node_at(sync, id)->flags & NODE_BULK)
            return true;
    return false;
}

/* More may follow at once: a switch of branches is one batch, a save is not kept waiting. */
static bool burst_goes_on(const struct sync *sync, int64_t *next_us)
{
    if (sync->dirty.count <= FEW)
        return false;
    int64_t due = sync->last_event_us + BURST_QUIET_US;
    int64_t latest = sync->dirty_since_us + BURST_MAX_US;
    if (due > latest)
        due = latest;
    if (due <= sync->now_us)
        return false;
    sync_wake_at((struct sync *)sync, next_us, due);
    return true;
}

/* Nodes of the list that can go now, in order; the others wait for what is on its way. */
static struct wave_item *pick(struct sync *sync, const struct ids *ids, size_t *out_count)
{
    struct wave_item *items = xcalloc(ids->count, sizeof *items);
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        uint32_t id = ids->items[i];
        struct node *node = node_at(sync, id);
        if (node->flags & (NODE_QUEUED | NODE_LATE | NODE_FREE))
            continue;
        if (node->pending >= PENDING_MAX || bulk_is_on_it(sync, id)) {
            push_wait(sync, id);
            continue;
        }
        items[count++] = item_for(sync, id, (uint32_t)i);
    }
    guard_items(sync, items, &count);
    qsort(items, count, sizeof *items, by_order);
    *out_count = count;
    return items;
}

void push_look(struct sync *sync)
{
    for (size_t i = 0; i < sync->dirty.count; i++) /* the list grows meanwhile */
        look(sync, sync->dirty.items[i]);
}

bool push_express(struct sync *sync, int64_t *next_us, struct error *err)
{
    if (sync->dirty.count && burst_goes_on(sync, next_us))
        return true;
    sync->turns++;
    if (sync->dirty.count == 0)
        return true;
    push_look(sync);
    late_review(sync);
    guard_review(sync);
    AUTO(ids_dispose) struct ids ids = sync->dirty;
    sync->dirty = (struct ids){0};
    for (size_t i = 0; i < ids.count; i++)
        node_at(sync, ids.items[i])->flags &= ~NODE_DIRTY;
    if (ids.count > EXPRESS_NODES && sync->options.role == SYNC_LAPTOP) {
        push_wave_start(sync);
        return true;
    }
    size_t count;
    AUTO(mem_free) struct wave_item *items = pick(sync, &ids, &count);
    for (size_t i = 0; i < count; i++)
        if (late_is(sync, &items[i]))
            late_add(sync, items[i].id);
        else if (!sender_add(sync, items[i].id, LANE_FAST, err))
            return false;
    for (size_t i = 0; i < ids.count; i++)
        if (!(node_at(sync, ids.items[i])->flags & NODE_FREE))
            tree_prune(sync->tree, ids.items[i]);
    if (sync->dirty.count || sync->held_count)
        sync_wake_at(sync, next_us, sync->dirty.count ? sync->now_us : INT64_MAX);
    return draft_send(sync, LANE_FAST, false, err);
}

/* --- Waves --------------------------------------------------------------------------------- */

/* What must be looked at, by what is known without reading. Settles what needs no work. */
static bool needs_work(struct sync *sync, uint32_t id, struct ids *pulls)
{
    struct node *node = node_at(sync, id);
    if (node->flags & (NODE_WITHHELD | NODE_QUEUED | NODE_LATE) || node->pending)
        return false;
    if (node->flags & NODE_UNHASHED)
        return true;
    switch (node_verdict(sync, node)) {
    case VERDICT_NONE:
        node_calm(sync, id);
        return false;
    case VERDICT_AGREE:
        node_agree(sync, id);
        return false;
    case VERDICT_PUSH:
        return true;
    case VERDICT_PULL:
        ids_add(pulls, id);
        return false;
    case VERDICT_CONFLICT:
        node_conflict(sync, id);
        return false;
    }
    return false;
}

static bool probe(const struct sync *sync, uint32_t id)
{
    char path[TREE_PATH_LIMIT];
    return dense_file(sync->root, tree_path(sync->tree, id, path), node_at(sync, id)->local.size);
}

static bool is_small(const struct sync *sync, const struct wave_item *item)
{
    uint64_t size = node_at(sync, item->id)->local.size;
    return size >= DENSE_LEAST && size < DENSE_ALONE;
}

/* Whether the small files among these, all of one kind, are dense. */
static bool are_dense(const struct sync *sync, const struct wave_item *items, size_t count)
{
    size_t probed = 0;
    for (size_t turn = 0; turn < DENSE_PROBES; turn++) {
        size_t at = count * turn / DENSE_PROBES, end = count * (turn + 1) / DENSE_PROBES;
        while (at < end && !is_small(sync, &items[at]))
            at++;
        if (at == end)
            continue;
        if (!probe(sync, items[at].id))
            return false;
        probed++;
    }
    return probed > 1;
}

/* Takes the files that do not compress out of the sorted items. They are sent where the others
 * compress so well that the link would have nothing to do. */
static void set_dense_apart(struct sync *sync, struct wave_item *items, size_t *count,
                            struct ids *dense)
{
    size_t kept = 0, looks = 0;
    for (size_t i = 0, end; i < *count; i = end) {
        bool content = items[i].class == WAVE_CONTENT;
        for (end = i + 1; end < *count && items[end].class == items[i].class &&
                          items[end].extension == items[i].extension;)
            end++;
        bool small = content && are_dense(sync, items + i, end - i);
        for (size_t j = i; j < end; j++) {
            uint64_t size = node_at(sync, items[j].id)->local.size;
            bool alone = content && size >= DENSE_ALONE && looks++ < DENSE_MOST;
            if (alone ? probe(sync, items[j].id) : small && size < DENSE_ALONE)
                ids_add(dense, items[j].id);
            else
                items[kept++] = items[j];
        }
    }
    *count = kept;
}

static bool is_wave(size_t nodes, uint64_t bytes)
{
    return nodes > EXPRESS_NODES || bytes > 4 * 1024 * 1024;
}

void push_ahead_drop(struct sync *sync)
{
    ids_dispose(&sync->ahead.work);
    ids_dispose(&sync->ahead.dense);
    free(sync->ahead.items);
    sync->ahead = (struct ahead){.done = true};
}

void push_ahead(struct sync *sync)
{
    struct ahead *ahead = &sync->ahead;
    if (ahead->done || sync->met)
        return;
    ahead->done = true;
    ahead->changes = sync->changes;
    uint64_t bytes = 0;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        const struct node *node = node_at(sync, id);
        if (!node->local.kind)
            continue;
        ids_add(&ahead->work, id);
        bytes += node->local.size;
    }
    if (!is_wave(ahead->work.count, bytes)) {
        push_ahead_drop(sync);
        return;
    }
    ahead->count = ahead->work.count;
    ahead->items = xcalloc(ahead->count, sizeof *ahead->items);
    for (size_t i = 0; i < ahead->count; i++)
        ahead->items[i] = item_for(sync, ahead->work.items[i], (uint32_t)i);
    qsort(ahead->items, ahead->count, sizeof *ahead->items, by_order);
    set_dense_apart(sync, ahead->items, &ahead->count, &ahead->dense);
}

/* Takes what was put in order ahead, if that is what is to be sent. */
static bool take_ahead(struct sync *sync, const struct ids *work, struct wave_item **items,
                       size_t *count)
{
    struct ahead *ahead = &sync->ahead;
    bool same = ahead->items && ahead->changes == sync->changes &&
                ahead->work.count == work->count &&
                memcmp(ahead->work.items, work->items, work->count * sizeof *work->items) == 0;
    if (same) {
        free(*items);
        *items = TAKE(ahead->items);
        *count = ahead->count;
        for (size_t i = 0; i < ahead->dense.count; i++)
            ids_add(&sync->dense, ahead->dense.items[i]);
    }
    push_ahead_drop(sync);
    return same;
}

void push_wave_start(struct sync *sync)
{
    AUTO(ids_dispose) struct ids work = {0};
    AUTO(ids_dispose) struct ids pulls = {0};
    uint64_t files = 0, bytes = 0;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT)) {
        if (!needs_work(sync, id, &pulls))
            continue;
        ids_add(&work, id);
        const struct node *node = node_at(sync, id);
        files += node->local.kind && node->local.kind != ENTRY_DIR;
        bytes += node->local.kind == ENTRY_FILE ? node->local.size : 0;
    }
    for (size_t i = 0; i < pulls.count; i++)
        ids_add(&sync->wanted, pulls.items[i]);
    if (!is_wave(work.count, bytes)) {
        for (size_t i = 0; i < work.count; i++)
            mark_dirty(sync, work.items[i]);
        return;
    }
    /* What an earlier wave has not sent yet is still queued: keep that part. */
    size_t rest = sync->wave_count - sync->wave_at;
    struct wave_item *items = xcalloc(rest + work.count, sizeof *items);
    if (rest)
        memcpy(items, sync->wave + sync->wave_at, rest * sizeof *items);
    size_t added = work.count;
    for (size_t i = 0; i < work.count; i++)
        items[rest + i] = item_for(sync, work.items[i], (uint32_t)i);
    guard_items(sync, items + rest, &added);
    for (size_t i = 0; i < added; i++)
        node_at(sync, items[rest + i].id)->flags |= NODE_QUEUED;
    size_t count = rest + added;
    bool whole = rest == 0 && added == work.count;
    if (!whole || !take_ahead(sync, &work, &items, &count)) {
        qsort(items, count, sizeof *items, by_order);
        if (sync->options.role == SYNC_LAPTOP)
            set_dense_apart(sync, items, &count, &sync->dense);
    }
    free(sync->wave);
    sync->wave = items;
    sync->wave_count = count;
    sync->wave_at = 0;
    if (rest == 0)
        sync->work_files = sync->work_bytes = sync->done_files = sync->done_bytes = 0;
    sync->work_files += files;
    sync->work_bytes += bytes;
}

static bool next_of_wave(struct sync *sync, bool dense, struct error *err)
{
    uint32_t id;
    bool more = sync->wave_at < sync->wave_count;
    bool removes = more && sync->wave[sync->wave_at].class == WAVE_REMOVE;
    if (dense) {
        id = sync->dense.items[sync->dense_at++];
    } else if (more && !(removes && sync->large.count)) {
        id = sync->wave[sync->wave_at++].id;
    } else if (!sync->large.count) {
        return late_next(sync, err);
    } else {
        id = sync->large.items[0];
        memmove(sync->large.items, sync->large.items + 1,
                --sync->large.count * sizeof *sync->large.items);
    }
    struct node *node = node_at(sync, id);
    node->flags &= ~NODE_QUEUED;
    if (node->local.kind && node->local.kind != ENTRY_DIR) {
        sync->done_files++;
        sync->done_bytes += node->local.size;
    }
    bool done = sender_add(sync, id, LANE_BULK, err);
    if (done && !sync->sending[dense])
        tree_prune(sync->tree, id);
    return done;
}

/* Dense files come after the folders and before the removals, and when the link has little left to
 * do; else the compressor shall go on. */
static bool is_turn_of_dense(const struct sync *sync)
{
    if (!sync->sending[1] && sync->dense_at == sync->dense.count)
        return false;
    bool more = sync->wave_at < sync->wave_count;
    enum wave_class next = more ? sync->wave[sync->wave_at].class : WAVE_REMOVE;
    if (next < WAVE_CONTENT) /* what clears their places and makes their folders */
        return false;
    if (next == WAVE_REMOVE && !sync->sending[0])
        return true;
    bool begun = sync->draft[LANE_BULK].apart && sync->draft[LANE_BULK].count;
    if (begun && !sync->sending[1] && sync->dense_at < sync->dense.count)
        return true; /* a batch of them is not sent half full */
    return sync->port->queued(sync->context, LANE_BULK) < LINE_LITTLE;
}

bool push_is_full(struct sync *sync)
{
    const struct sync_port *port = sync->port;
    bool near = sync->packing && packing_is_plain(sync->packing);
    size_t most = near ? NEAR_BYTES : QUEUE_BYTES;
    if (port->queued(sync->context, LANE_BULK) >= most) {
        if (port->room_at)
            port->room_at(sync->context, LANE_BULK, most - ROOM_BYTES);
        return true;
    }
    return (sync->packing && packing_full(sync->packing)) ||
           sync->inflight_ops >= (near ? NEAR_OPS : INFLIGHT_OPS);
}

bool push_wave(struct sync *sync, struct error *err)
{
    bool worked = false;
    while (wave_left(sync)) {
        if (push_is_full(sync))
            return true;
        if (sync->dirty.count && worked && !sync->sending[0])
            return true; /* a save overtakes */
        worked = true;
        bool dense = is_turn_of_dense(sync);
        sync->dense_turn = dense;
        bool done =
            sync->sending[dense] ? sending_go_on(sync, dense, err) : next_of_wave(sync, dense, err);
        sync->dense_turn = false;
        if (!done)
            return false;
    }
    if (!draft_send(sync, LANE_BULK, false, err))
        return false;
    if (sync->wave_count) {
        free(TAKE(sync->wave));
        sync->wave_count = sync->wave_at = 0;
    }
    sync->dense.count = sync->dense_at = 0;
    if (sync->packing)
        packing_end(sync->packing);
    return true;
}
