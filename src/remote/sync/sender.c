/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/content.h"
#include "sync/guess.h"
#include "sync/ignore.h"
#include "sync/level.h"
#include "sync/packing.h"

enum {
    COPY_LEAST = 128,
    RETRY_CHANGING_US = 200 * 1000,
    DEPTH_MAX = 600,
    PIECE_ROOM = PIECE_BYTES + 64 * 1024, /* most pieces need no more */
};

/* A large file under way. */
struct sending {
    uint32_t id;
    enum sync_lane lane;
    struct content content;
    struct entry expect;
    struct hash128 old; /* what the copied segments are from */
    uint64_t transfer;
    size_t segment;
    uint64_t within; /* bytes of the segment that were sent */
    uint64_t at;     /* where the segment begins in the new file */
    bool began, ended;
    bool filtered; /* what compresses better in another form is sent so */
};

/* --- Copies -------------------------------------------------------------------------------- */

static size_t slot_of(const struct sync *sync, const struct entry *entry)
{
    return read_u64(entry->hash.bytes) & (sync->copies_size - 1);
}

static void put_copy(struct sync *sync, uint32_t id)
{
    const struct entry *entry = &node_at(sync, id)->remote;
    size_t slot = slot_of(sync, entry);
    for (; sync->copies[slot]; slot = (slot + 1) & (sync->copies_size - 1)) {
        uint32_t other = sync->copies[slot];
        if (other == id)
            return;
        const struct node *node = node_at(sync, other);
        if (node->flags & NODE_FREE || entry_same_content(&node->remote, entry))
            break; /* one for each content is enough */
    }
    sync->copies_used += !sync->copies[slot];
    sync->copies[slot] = id;
}

void copies_fill(struct sync *sync)
{
    free(sync->copies);
    sync->copies_size = 1024;
    while (sync->copies_size < tree_count(sync->tree) * 2)
        sync->copies_size *= 2;
    sync->copies = xcalloc(sync->copies_size, sizeof *sync->copies);
    sync->copies_used = 0;
    for (uint32_t id = tree_next(sync->tree, TREE_ROOT, TREE_ROOT); id;
         id = tree_next(sync->tree, id, TREE_ROOT))
        if (node_at(sync, id)->remote.kind == ENTRY_FILE)
            put_copy(sync, id);
}

void copies_add(struct sync *sync, uint32_t id)
{
    const struct node *node = node_at(sync, id);
    if (node->remote.kind != ENTRY_FILE || node->remote.size < COPY_LEAST)
        return;
    if (!sync->copies || sync->copies_used * 4 > sync->copies_size * 3)
        copies_fill(sync);
    put_copy(sync, id);
}

/* A file that the other side surely has by the time this lane's next batch arrives. */
static uint32_t find_copy(const struct sync *sync, uint32_t id, enum sync_lane lane)
{
    const struct node *node = node_at(sync, id);
    if (!sync->copies || node->local.size < COPY_LEAST || node->flags & NODE_FULL)
        return TREE_NONE;
    size_t slot = slot_of(sync, &node->local);
    for (; sync->copies[slot]; slot = (slot + 1) & (sync->copies_size - 1)) {
        uint32_t other = sync->copies[slot];
        const struct node *found = node_at(sync, other);
        if (other == id || found->flags & NODE_FREE || found->remote.kind != ENTRY_FILE ||
            !entry_same_content(&found->remote, &node->local))
            continue;
        bool there = found->pending == 0 || (found->flags & NODE_BULK && lane == LANE_BULK);
        if (there)
            return other;
    }
    return TREE_NONE;
}

/* --- One change ---------------------------------------------------------------------------- */

static bool add_copy(struct sync *sync, uint32_t id, uint32_t from, enum sync_lane lane,
                     struct error *err)
{
    char path[TREE_PATH_LIMIT], from_path[TREE_PATH_LIMIT];
    const struct node *node = node_at(sync, id), *source = node_at(sync, from);
    bool moves = !source->local.kind && source->flags & NODE_MOVABLE;
    struct sync_op op = {.path = bytes_of(tree_path(sync->tree, id, path)),
                         .expect = node->remote,
                         .entry = node->local,
                         .source = moves ? SOURCE_MOVE : SOURCE_COPY,
                         .from = bytes_of(tree_path(sync->tree, from, from_path))};
    return draft_add(sync, lane, &op, id, err);
}

/* Not where the processors are the limit, and not for what does not compress anyway. */
static bool is_worth_filtering(const struct sync *sync)
{
    const struct sync_port *port = sync->port;
    int64_t distance_us = port->distance_us ? port->distance_us(sync->context) : 0;
    return !sync->dense_turn && !level_is_near(distance_us);
}

/* Sends what is in the node as local, with these bytes where it has any. */
static bool add_plain(struct sync *sync, uint32_t id, enum sync_lane lane, struct bytes content,
                      struct error *err)
{
    char path[TREE_PATH_LIMIT];
    const struct node *node = node_at(sync, id);
    bool remote = sync->options.role == SYNC_REMOTE;
    const struct entry *expect = remote ? &node->base : &node->remote;
    bool has_content = node->local.kind == ENTRY_FILE || node->local.kind == ENTRY_LINK;
    bool told_only = remote && lane == LANE_FAST && !sync_mode_two_way(sync->options.mode);
    bool only_mode = !remote && entry_same_content(&node->local, expect);
    AUTO(mem_free) uint8_t *filtered = NULL;
    struct sync_op op = {.path = bytes_of(tree_path(sync->tree, id, path)),
                         .expect = *expect,
                         .entry = node->local,
                         .content = content};
    if (has_content && !told_only && !only_mode && content.data)
        op.source = SOURCE_INLINE;
    bool guessed = op.source == SOURCE_INLINE && lane == LANE_BULK &&
                   node->local.kind == ENTRY_FILE && is_worth_filtering(sync) &&
                   guess_filter(content, 0, &op.filter);
    if (guessed) {
        filtered = xmalloc(content.size);
        filter_apply(&op.filter, content, filtered);
        op.content.data = filtered;
    }
    return draft_add(sync, lane, &op, id, err);
}

/* The folder around it must be there first, whatever was decided about it. */
static bool ensure_parent(struct sync *sync, uint32_t id, enum sync_lane lane, struct error *err)
{
    uint32_t missing[DEPTH_MAX];
    size_t count = 0;
    if (sync->options.role == SYNC_REMOTE)
        return true;
    for (id = node_at(sync, id)->parent; id > TREE_ROOT && count < DEPTH_MAX;
         id = node_at(sync, id)->parent) {
        struct node *node = node_at(sync, id);
        if (node->remote.kind == ENTRY_DIR)
            break;
        if (node->local.kind == ENTRY_DIR)
            missing[count++] = id;
    }
    while (count) {
        node_at(sync, missing[--count])->flags &= ~NODE_PINNED;
        if (!add_plain(sync, missing[count], lane, (struct bytes){0}, err))
            return false;
    }
    return true;
}

static void start_sending(struct sync *sync, uint32_t id, enum sync_lane lane,
                          struct content *content)
{
    struct sending *sending = xcalloc(1, sizeof *sending);
    const struct node *node = node_at(sync, id);
    *sending = (struct sending){.id = id,
                                .lane = lane,
                                .content = *content,
                                .expect = *sync_theirs(sync, node),
                                .transfer = ++sync->transfer,
                                .filtered = lane == LANE_BULK && is_worth_filtering(sync)};
    if (node->chunks)
        sending->old = node->chunks->content;
    *content = (struct content){.fd = -1};
    node_at(sync, id)->flags |= NODE_QUEUED;
    sync->sending[sync->dense_turn] = sending;
}

/* Small enough to overtake what is in the bulk lane. */
static bool is_small_delta(const struct content *content)
{
    return content->chunks.list && content->chunks.literal_bytes <= SENDER_LITERALS;
}

static bool add_large(struct sync *sync, uint32_t id, enum sync_lane lane, struct content *content,
                      struct error *err)
{
    struct node *node = node_at(sync, id);
    bool at_once = lane == LANE_BULK || (is_small_delta(content) && !sync->sending[0]);
    if (sync->options.role == SYNC_REMOTE && !at_once) {
        chunk_result_dispose(&content->chunks); /* the laptop has what it had: see remote_want */
        return add_plain(sync, id, lane, (struct bytes){0}, err);
    }
    if (!at_once) {
        node->flags |= NODE_QUEUED | NODE_UNHASHED;
        ids_add(&sync->large, id);
        sync->large_us = sync->now_us;
        return true;
    }
    start_sending(sync, id, lane, content);
    if (lane == LANE_BULK)
        return true; /* step by step */
    while (sync->sending[0])
        if (!sending_go_on(sync, false, err))
            return false;
    return true;
}

static bool push(struct sync *sync, uint32_t id, enum sync_lane lane, struct content *content,
                 struct error *err)
{
    const struct node *node = node_at(sync, id);
    if (!ensure_parent(sync, id, lane, err))
        return false;
    bool laptop = sync->options.role == SYNC_LAPTOP;
    if (!node->local.kind)
        node_at(sync, id)->flags &= ~NODE_MOVABLE;
    if (laptop && node->local.kind == ENTRY_FILE &&
        !entry_same_content(&node->local, &node->remote)) {
        uint32_t from = find_copy(sync, id, lane);
        if (from)
            return add_copy(sync, id, from, lane, err);
    }
    if (node->local.kind == ENTRY_FILE && node->local.size >= CHUNK_FILE_MIN &&
        !(laptop && entry_same_content(&node->local, &node->remote)))
        return add_large(sync, id, lane, content, err);
    return add_plain(sync, id, lane,
                     node->local.kind >= ENTRY_FILE && content->bytes.data
                         ? buf_bytes(&content->bytes)
                         : (struct bytes){(const uint8_t *)"", 0},
                     err);
}

static bool decide(struct sync *sync, uint32_t id, enum sync_lane lane, struct content *content,
                   struct error *err)
{
    switch (node_verdict(sync, node_at(sync, id))) {
    case VERDICT_NONE:
        node_calm(sync, id);
        return true;
    case VERDICT_AGREE:
        node_agree(sync, id);
        return true;
    case VERDICT_PULL:
        ids_add(&sync->wanted, id);
        return true;
    case VERDICT_CONFLICT:
        node_conflict(sync, id);
        return true;
    case VERDICT_PUSH:
        break;
    }
    return push(sync, id, lane, content, err);
}

/* Whether the node's bytes are needed: they are not when its hash is known and settles it. */
static bool settled_by_hash(const struct sync *sync, uint32_t id, enum sync_lane lane)
{
    const struct node *node = node_at(sync, id);
    if (node->flags & (NODE_UNHASHED | NODE_TOUCHED | NODE_WANTED))
        return false;
    if (node->local.kind == ENTRY_DIR || node->local.kind == ENTRY_NONE)
        return true;
    if (node_verdict(sync, node) != VERDICT_PUSH)
        return true;
    if (sync->options.role == SYNC_REMOTE)
        return lane == LANE_FAST && !sync_mode_two_way(sync->options.mode);
    return entry_same_content(&node->local, &node->remote) ||
           (node->local.kind == ENTRY_FILE && find_copy(sync, id, lane));
}

static void cannot_read(struct sync *sync, uint32_t id, const char *path, const struct error *why)
{
    struct node *node = node_at(sync, id);
    if (why->kind == ERROR_CONFLICT) { /* it comes by itself when it can be read */
        local_hold(sync, id, RETRY_CHANGING_US, true);
    } else {
        node->flags |= NODE_UNREADABLE;
        node->flags &= ~NODE_WANTED; /* the note is the answer */
    }
    sync_problem(sync, path, why->text);
}

/* Where the line is wider than the pieces of a file are found, one that is new there is sent as a
 * whole, and the pieces are looked for when there is time. */
static int what_to_read(const struct sync *sync, const struct node *node, enum sync_lane lane)
{
    bool may_send = sync->options.role == SYNC_LAPTOP || lane == LANE_BULK ||
                    sync_mode_two_way(sync->options.mode);
    bool whole = lane == LANE_BULK && sync->options.role == SYNC_LAPTOP && !node->remote.kind &&
                 sync->packing && packing_is_plain(sync->packing);
    return CONTENT_BYTES | (whole ? CONTENT_WHOLE : may_send ? CONTENT_CHUNKS : 0);
}

/* The pieces of what the other side has. On the remote side the list itself says what that is: a
 * file may have been told of since and not been asked for. */
static const struct chunk_list *old_pieces(const struct sync *sync, const struct node *node)
{
    bool usable = node->chunks && !(node->flags & NODE_FULL) &&
                  (sync->options.role == SYNC_REMOTE ||
                   (node->remote.kind == ENTRY_FILE &&
                    hash128_equal(node->chunks->content, node->remote.hash)));
    return usable ? node->chunks : NULL;
}

/* A list that was made on the way and is of what the other side has. */
static void keep_pieces(struct sync *sync, uint32_t id, struct content *content)
{
    struct node *node = node_at(sync, id);
    const struct chunk_list *list = content->chunks.list;
    if (!list || node->flags & NODE_FREE ||
        !hash128_equal(list->content, sync_theirs(sync, node)->hash))
        return;
    free(node->chunks);
    node->chunks = TAKE(content->chunks.list);
}

void sender_close_folder(struct sync *sync)
{
    if (sync->folder >= 0)
        close(sync->folder);
    sync->folder = -1;
}

/* The folder around a node, kept open: the next is most likely in it too. */
static int folder_of(struct sync *sync, uint32_t id, const char *path, const char **out_name)
{
    const char *slash = strrchr(path, '/');
    uint32_t parent = node_at(sync, id)->parent;
    *out_name = slash ? slash + 1 : path;
    if (sync->folder >= 0 && sync->folder_id == parent)
        return sync->folder;
    sender_close_folder(sync);
    sync->folder = open_parent(sync->root, path, out_name);
    sync->folder_id = parent;
    return sync->folder;
}

/* Of what was asked for and is no file or link any more: whoever asked waits for an answer. */
static bool answer_without_content(struct sync *sync, uint32_t id, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    struct node *node = node_at(sync, id);
    if (sync->options.role == SYNC_LAPTOP || !(node->flags & NODE_WANTED))
        return true;
    node->flags &= ~NODE_WANTED;
    struct sync_op op = {.path = bytes_of(tree_path(sync->tree, id, path)),
                         .expect = node->base,
                         .entry = node->local};
    return draft_add(sync, LANE_BULK, &op, id, err);
}

bool sender_add(struct sync *sync, uint32_t id, enum sync_lane lane, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    const char *name;
    struct error why;
    struct node *node = node_at(sync, id);
    AUTO(content_dispose) struct content content = {.fd = -1};
    bool laptop = sync->options.role == SYNC_LAPTOP;
    if (settled_by_hash(sync, id, lane))
        return decide(sync, id, lane, &content, err);
    tree_path(sync->tree, id, path);
    int parent = folder_of(sync, id, path, &name);
    if (parent < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
            local_gone(sync, id); /* and dirty now, if it was there */
            return answer_without_content(sync, id, err);
        }
        error_os(&why, errno, "open the folder around it");
        cannot_read(sync, id, path, &why);
        return true;
    }
    if (!content_read(parent, name, what_to_read(sync, node, lane), old_pieces(sync, node),
                      &content, &why)) {
        cannot_read(sync, id, path, &why);
        return true;
    }
    bool plain = content.entry.kind == ENTRY_NONE || content.entry.kind == ENTRY_DIR;
    if (plain && node->local.kind == content.entry.kind) {
        node->flags &= ~(NODE_UNHASHED | NODE_TOUCHED);
        return answer_without_content(sync, id, err) && decide(sync, id, lane, &content, err);
    }
    if (plain) {
        mark_dirty(sync, id); /* looked at as such in the next turn */
        if (content.entry.kind == ENTRY_NONE)
            local_gone(sync, id);
        return true;
    }
    content_store(&content, node);
    sync->changes++;
    bool wanted = !laptop && node->flags & NODE_WANTED;
    if (wanted)
        node->flags &= ~NODE_WANTED;
    bool done =
        wanted ? push(sync, id, lane, &content, err) : decide(sync, id, lane, &content, err);
    keep_pieces(sync, id, &content);
    return done;
}

/* --- Large files --------------------------------------------------------------------------- */

/* What has arrived of it is of no use, and takes a place and room there. */
static void say_dropped(struct sync *sync, const struct sending *sending)
{
    struct error err;
    AUTO(buf_dispose) struct buf payload = BUF(64);
    struct sync_piece piece = {.transfer = sending->transfer, .flags = PIECE_DROPPED};
    if (!sync_piece_encode(&piece, &payload, &err) ||
        !sync_send(sync, sending->lane, SYNC_PIECE, buf_bytes(&payload), &err))
        sync_tell(sync, SYNC_EVENT_NOTE, "", err.text);
}

static void drop(struct sync *sync, bool dense)
{
    struct sending *sending = TAKE(sync->sending[dense]);
    if (!sending)
        return;
    if (sending->began && !sending->ended && sync->connected)
        say_dropped(sync, sending);
    struct node *node = node_at(sync, sending->id);
    node->flags &= ~NODE_QUEUED;
    if (node->flags & (NODE_TOUCHED | NODE_UNHASHED))
        mark_dirty(sync, sending->id); /* changed meanwhile */
    content_dispose(&sending->content);
    free(sending);
}

void sending_drop(struct sync *sync)
{
    drop(sync, false);
    drop(sync, true);
}

uint32_t sending_node(const struct sync *sync, bool dense)
{
    return sync->sending[dense] ? sync->sending[dense]->id : TREE_NONE;
}

void sending_review(struct sync *sync)
{
    char path[TREE_PATH_LIMIT];
    for (int dense = 0; dense < 2; dense++) {
        const struct sending *sending = sync->sending[dense];
        if (sending &&
            ignore_match_path(sync->ignore, tree_path(sync->tree, sending->id, path), false))
            drop(sync, dense);
    }
}

static bool put_head(struct sync *sync, struct sending *sending, struct buf *payload,
                     struct error *err)
{
    char path[TREE_PATH_LIMIT];
    bool copies = false;
    for (size_t i = 0; i < sending->content.chunks.segment_count; i++)
        copies = copies || sending->content.chunks.segments[i].old_offset != CHUNK_LITERAL;
    struct sync_piece piece = {.transfer = sending->transfer,
                               .flags = sending->began ? 0 : PIECE_FIRST,
                               .size = sending->content.entry.size};
    if (copies) {
        piece.from = bytes_of(tree_path(sync->tree, sending->id, path));
        piece.from_hash = sending->old;
    }
    sending->began = true;
    return sync_piece_encode(&piece, payload, err);
}

/* Adds literal bytes to the piece; fewer than asked for when the file became shorter, which the
 * receiver finds out by the hash. */
static bool put_literal(const struct sending *sending, uint64_t offset, size_t size,
                        struct buf *payload, struct error *err)
{
    size_t start = payload->size;
    struct filter filter = {0};
    uint8_t *room =
        sync_run_head(&filter, size, payload, err) ? buf_reserve(payload, size, err) : NULL;
    if (!room)
        return false;
    ssize_t got = pread(sending->content.fd, room, size, (off_t)offset);
    size_t filled = got > 0 ? (size_t)got : 0;
    memset(room + filled, 0, size - filled);
    struct bytes bytes = {room, size};
    if (!sending->filtered || !guess_filter(bytes, offset, &filter)) {
        buf_commit(payload, size);
        return true;
    }
    AUTO(mem_free) uint8_t *plain = xmalloc(size);
    memcpy(plain, room, size);
    payload->size = start;
    room = sync_run_head(&filter, size, payload, err) ? buf_reserve(payload, size, err) : NULL;
    if (!room)
        return false;
    filter_apply(&filter, (struct bytes){plain, size}, room);
    buf_commit(payload, size);
    return true;
}

static bool put_runs(struct sending *sending, struct buf *payload, struct error *err)
{
    const struct chunk_result *chunks = &sending->content.chunks;
    while (sending->segment < chunks->segment_count && payload->size < PIECE_BYTES) {
        const struct chunk_segment *segment = &chunks->segments[sending->segment];
        uint64_t left = segment->size - sending->within;
        if (segment->old_offset == CHUNK_LITERAL) {
            size_t step = left < PIECE_BYTES / 2 ? (size_t)left : PIECE_BYTES / 2;
            if (!put_literal(sending, sending->at + sending->within, step, payload, err))
                return false;
            sending->within += step;
        } else {
            struct sync_run run = {.copy = true, .offset = segment->old_offset, .size = left};
            if (!sync_run_encode(&run, payload, err))
                return false;
            sending->within = segment->size;
        }
        if (sending->within == segment->size) {
            sending->at += segment->size;
            sending->within = 0;
            sending->segment++;
        }
    }
    return true;
}

static bool finish(struct sync *sync, bool dense, struct error *err)
{
    char path[TREE_PATH_LIMIT];
    struct sending *sending = sync->sending[dense];
    struct node *node = node_at(sync, sending->id);
    struct sync_op op = {.path = bytes_of(tree_path(sync->tree, sending->id, path)),
                         .expect = sending->expect,
                         .entry = sending->content.entry,
                         .source = SOURCE_PIECES,
                         .transfer = sending->transfer};
    free(node->chunks);
    node->chunks = TAKE(sending->content.chunks.list);
    sending->ended = true;
    bool done = draft_add(sync, sending->lane, &op, sending->id, err);
    drop(sync, dense);
    return done;
}

bool sending_go_on(struct sync *sync, bool dense, struct error *err)
{
    struct sending *sending = sync->sending[dense];
    AUTO(buf_dispose) struct buf payload = BUF(SYNC_MESSAGE_MAX);
    bool bulk = sending->lane == LANE_BULK;
    if (bulk && sync->packing)
        packing_reuse(sync->packing, &payload);
    if ((bulk && !buf_reserve(&payload, PIECE_ROOM, err)) ||
        !put_head(sync, sending, &payload, err) || !put_runs(sending, &payload, err) ||
        !(bulk ? sync_send_bulk(sync, SYNC_PIECE, dense, (struct bytes){0}, &payload, err)
               : sync_send(sync, sending->lane, SYNC_PIECE, buf_bytes(&payload), err)))
        return false;
    if (sending->segment < sending->content.chunks.segment_count)
        return true;
    return finish(sync, dense, err);
}
