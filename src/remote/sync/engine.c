/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "sync/doubt.h"
#include "sync/engine_internal.h"
#include "sync/ignore.h"
#include "sync/packed.h"
#include "sync/packing.h"
#include "sync/path.h"
#include "sync/pieces.h"
#include "sync/sender.h"
#include "sync/snapshot.h"
#include "sys/fswatch.h"
#include "sys/memory.h"

enum {
    KEPT_BYTES = 1200 * 1024,    /* of room for messages that did not come whole */
    LOOK_AGAIN_US = 1000 * 1000, /* for a folder that is gone */
    FULL_US = 2000,              /* until it is looked at again, if nobody says anything */
};

void ids_add(struct ids *ids, uint32_t id)
{
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity ? ids->capacity * 2 : 64;
        ids->items = xreallocarray(ids->items, ids->capacity, sizeof *ids->items);
    }
    ids->items[ids->count++] = id;
}

void ids_dispose(struct ids *ids)
{
    free(ids->items);
    *ids = (struct ids){0};
}

void sync_wake_at(struct sync *sync, int64_t *next_us, int64_t at_us)
{
    (void)sync;
    if (at_us < *next_us)
        *next_us = at_us;
}

void sync_tell(struct sync *sync, enum sync_event_kind kind, const char *path, const char *text)
{
    sync->port->event(sync->context,
                      &(struct sync_event){.kind = kind, .path = path, .text = text});
}

void sync_problem(struct sync *sync, const char *path, const char *text)
{
    char shown[PATH_TEXT_SIZE];
    sync->problems++;
    snprintf(sync->problem, sizeof sync->problem, "%s: %s", path_text(path, shown), text);
    if (sync->options.role == SYNC_LAPTOP) {
        sync_tell(sync, SYNC_EVENT_NOTE, path, text);
        return;
    }
    AUTO(buf_dispose) struct buf note = BUF(16 * 1024);
    struct sync_note content = {NOTE_WARNING, bytes_of(path), bytes_of(text)};
    struct error err;
    if (sync->connected && sync_note_encode(&content, &note, &err) &&
        !sync_send(sync, LANE_FAST, SYNC_NOTE, buf_bytes(&note), &err))
        sync_tell(sync, SYNC_EVENT_NOTE, path, err.text);
}

/* --- Beginning and end --------------------------------------------------------------------- */

bool sync_open_root(struct sync *sync, bool create, struct error *err)
{
    struct stat stat;
    if (create && !dir_make(sync->options.root, err))
        return false;
    AUTO(fd_close) int fd = open(sync->options.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, errno, "open %s", sync->options.root);
    if (fstat(fd, &stat) != 0)
        return error_os(err, errno, "open %s", sync->options.root);
    if (sync->root >= 0)
        close(sync->root);
    applier_free(TAKE(sync->applier));
    stage_free(TAKE(sync->stage));
    sync->root = fd_take(&fd);
    sync->root_inode = stat.st_ino;
    sync->stage = stage_new(sync->root);
    bool two_way = sync_mode_two_way(sync->options.mode);
    if (two_way)
        stage_write_soon(sync->stage);
    sync->applier = applier_new(
        &(struct applier_options){.root = sync->root,
                                  .tree = sync->tree,
                                  .stage = sync->stage,
                                  .careful = sync->options.role == SYNC_LAPTOP || two_way});
    return true;
}

static void lanes_reset(struct sync *sync)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        struct lane_in *in = &sync->in[i];
        buf_dispose(&in->bytes);
        buf_dispose(&in->scratch);
        for (int apart = 0; apart < 2; apart++) {
            buf_dispose(&in->inner[apart]);
            unpacker_free(TAKE(in->unpackers[apart]));
            in->inner[apart] = BUF(SYNC_MESSAGE_MAX + 1024 * 1024);
        }
        in->bytes = BUF(SYNC_MESSAGE_MAX + 64);
        in->scratch = BUF(SYNC_MESSAGE_MAX);
    }
    if (sync->packing) {
        struct packing_counts counts = packing_counts(sync->packing);
        sync->sent_bytes += counts.packed;
        sync->raw_bytes += counts.raw;
        packing_free(TAKE(sync->packing));
    }
}

struct sync *sync_new(const struct sync_options *options, const struct sync_port *port,
                      void *context, struct error *err)
{
    AUTO(sync_free) struct sync *sync = xcalloc(1, sizeof *sync);
    sync->options = *options;
    sync->port = port;
    sync->context = context;
    sync->root = sync->folder = -1;
    sync->tree = tree_new();
    sync->inflight_end = &sync->inflight;
    sync->allow_removals = options->allow_mass_delete;
    lanes_reset(sync);
    for (int i = 0; i < LANE_COUNT; i++)
        sync->draft[i] = (struct draft){.ops = BUF(SYNC_MESSAGE_MAX - 1024), .lane = i};
    if (options->watch && options->role == SYNC_LAPTOP && !(sync->watch = fswatch_new(err)))
        return NULL;
    if (options->role == SYNC_LAPTOP) {
        if (!sync_open_root(sync, false, err))
            return NULL;
        snapshot_load(sync);
        sync->needs_scan = true;
    }
    return TAKE(sync);
}

static void release(struct sync *sync)
{
    sync->connected = false;
    sender_close_folder(sync);
    pieces_stop(sync);
    push_forget(sync, true);
    for (int i = 0; i < LANE_COUNT; i++) {
        buf_dispose(&sync->draft[i].ops);
        free(sync->draft[i].sent);
    }
    lanes_reset(sync);
    applier_free(sync->applier);
    stage_free(sync->stage);
    journal_close(sync->journal);
    ignore_free(sync->ignore);
    fswatch_free(sync->watch);
    tree_free(sync->tree);
    if (sync->root >= 0)
        close(sync->root);
    free(sync->dirty.items);
    free(sync->waiting.items);
    free(sync->held);
    free(sync->wave);
    ids_dispose(&sync->dense);
    push_ahead_drop(sync);
    free(sync->copies);
    free(sync->withheld.items);
    free(sync->wanted.items);
    free(sync->large.items);
    free(sync->late.items);
    free(sync->candidates);
    free(sync->remote_root);
    free(sync);
}

void sync_free(struct sync *sync)
{
    if (!sync)
        return;
    struct error err;
    /* What was saved in the last moment may look as it did: only the event tells. */
    if (sync->scanned && !sync_crashed(sync) && !local_events(sync, &err))
        sync->needs_scan = true;
    bool worth_it = sync->scanned && !sync_crashed(sync) && snapshot_differs(sync);
    if (worth_it && !snapshot_save(sync, &err))
        sync_tell(sync, SYNC_EVENT_NOTE, "", err.text);
    else if (sync->scanned && !sync_crashed(sync))
        doubt_end(sync);
    release(sync);
}

void sync_kill(struct sync *sync)
{
    if (sync->stage)
        stage_fault(sync->stage, 1);
    release(sync);
}

void sync_fault(struct sync *sync, uint64_t countdown)
{
    if (sync->stage)
        stage_fault(sync->stage, countdown);
}

bool sync_crashed(const struct sync *sync)
{
    return sync->stage && stage_crashed(sync->stage);
}

void sync_connected(struct sync *sync)
{
    lanes_reset(sync);
    sync->connected = true;
    sync->live = sync->hello_sent = false;
    struct error err;
    if (sync->options.role == SYNC_LAPTOP && sync->ignore && !session_hello(sync, &err))
        sync_problem(sync, "", err.text);
    sync_tell(sync, SYNC_EVENT_STATE, "", "connected");
}

void sync_greeted(struct sync *sync)
{
    bool sent;
    struct error err;
    lanes_reset(sync);
    sync->connected = true;
    /* What was said was by the rules of the last time: the scan that follows, or came before,
     * tells whether they are the same. */
    if (sync->scanned && !sync->needs_scan && !session_rules(sync, &sent, &err))
        sync_problem(sync, "", err.text);
    sync_tell(sync, SYNC_EVENT_STATE, "", "connected");
}

void sync_disconnected(struct sync *sync)
{
    sync->connected = sync->live = false;
    push_forget(sync, true);
    if (sync->stage)
        stage_drop_transfers(sync->stage);
    lanes_reset(sync);
    sync_tell(sync, SYNC_EVENT_STATE, "", "disconnected");
}

int sync_watch_fd(const struct sync *sync)
{
    return sync->watch ? fswatch_fd(sync->watch) : -1;
}

/* --- Lanes --------------------------------------------------------------------------------- */

static void send_packed(void *context, bool apart, struct bytes packed)
{
    struct sync *sync = context;
    struct error err;
    AUTO(buf_dispose) struct buf out = BUF(packed.size + 64);
    if (!sync_message_encode(apart ? SYNC_APART : SYNC_STREAM, packed, 0, &out, &err))
        abort(); /* it fits */
    sync->port->send(sync->context, LANE_BULK, buf_bytes(&out));
}

static size_t queued_packed(void *context)
{
    struct sync *sync = context;
    return sync->port->queued(sync->context, LANE_BULK);
}

static int64_t distance(void *context)
{
    struct sync *sync = context;
    return sync->port->distance_us ? sync->port->distance_us(sync->context) : 0;
}

static void room_for_raw(void *context)
{
    struct sync *sync = context;
    sync->port->wake(sync->context);
}

static void send_plain(void *context, struct buf *raw)
{
    struct sync *sync = context;
    sync->port->give(sync->context, LANE_BULK, raw);
}

static int64_t rate(void *context)
{
    struct sync *sync = context;
    return sync->port->rate(sync->context);
}

static struct packing *packing_of(struct sync *sync)
{
    if (!sync->packing) {
        struct packing_plan plan = {.threaded = sync->port->wake != NULL,
                                    .context = sync,
                                    .send = send_packed,
                                    .queued = queued_packed,
                                    .distance_us = distance,
                                    .room = room_for_raw,
                                    .rate = rate};
        if (sync->port->give)
            plan.send_plain = send_plain;
        sync->packing = packing_new(&plan);
    }
    return sync->packing;
}

bool sync_send(struct sync *sync, enum sync_lane lane, uint8_t type, struct bytes payload,
               struct error *err)
{
    if (!sync->connected)
        return true;
    AUTO(buf_dispose) struct buf out = BUF(SYNC_MESSAGE_MAX + 64);
    bool bulk = lane == LANE_BULK;
    if (!sync_message_encode(type, payload, bulk ? 0 : SYNC_FAST_LEVEL, &out, err))
        return false;
    if (bulk) {
        packing_begin(packing_of(sync), false);
        packing_add(sync->packing, &out);
        return true;
    }
    sync->raw_bytes += payload.size;
    sync->sent_bytes += out.size;
    sync->port->send(sync->context, LANE_FAST, buf_bytes(&out));
    return true;
}

bool sync_send_bulk(struct sync *sync, uint8_t type, bool apart, struct bytes head,
                    struct buf *rest, struct error *err)
{
    AUTO(buf_dispose) struct buf out = BUF(1024);
    if (!sync->connected)
        return true;
    if (!sync_message_head(type, head.size + rest->size, &out, err) || !buf_append(&out, head, err))
        return false;
    packing_begin(packing_of(sync), apart);
    packing_add(sync->packing, &out);
    packing_add(sync->packing, rest);
    return true;
}

static bool handle_all(struct sync *sync, struct buf *bytes, struct buf *scratch, bool outer,
                       struct error *err);

static bool handle_stream(struct sync *sync, bool apart, struct bytes packed, struct error *err)
{
    struct lane_in *in = &sync->in[LANE_BULK];
    struct unpacker **unpacker = &in->unpackers[apart];
    struct buf *inner = &in->inner[apart];
    if (!*unpacker)
        *unpacker = unpacker_new();
    for (bool more = true; packed.size || more;) {
        if (!unpacker_add(*unpacker, &packed, inner, &more, err) ||
            !handle_all(sync, inner, &in->scratch, false, err))
            return false;
    }
    if (unpacker_idle(*unpacker)) { /* gives the window back */
        unpacker_free(TAKE(*unpacker));
        if (inner->size == 0) /* a message may go on in the next stream */
            buf_dispose(inner);
        buf_dispose(&in->scratch);
        memory_trim();
    }
    return true;
}

/* The whole messages that it begins with; moves it on. */
static bool handle_whole(struct sync *sync, struct bytes *bytes, struct buf *scratch, bool outer,
                         struct error *err)
{
    for (;;) {
        struct sync_message message;
        size_t used;
        enum sync_decoded decoded = sync_message_decode(*bytes, scratch, &message, &used, err);
        if (decoded == SYNC_BROKEN)
            return false;
        if (decoded == SYNC_SHORT)
            return true;
        *bytes = (struct bytes){bytes->data + used, bytes->size - used};
        bool apart = message.type == SYNC_APART, stream = apart || message.type == SYNC_STREAM;
        if (stream && !outer)
            return error_set(err, ERROR_INVALID, "sync stream within a stream");
        if (stream ? !handle_stream(sync, apart, message.payload, err)
                   : !sync_handle(sync, &message, err))
            return false;
    }
}

static bool handle_all(struct sync *sync, struct buf *bytes, struct buf *scratch, bool outer,
                       struct error *err)
{
    struct bytes rest = buf_bytes(bytes);
    if (!handle_whole(sync, &rest, scratch, outer, err))
        return false;
    buf_consume(bytes, bytes->size - rest.size);
    return true;
}

bool sync_receive(struct sync *sync, enum sync_lane lane, struct bytes bytes, struct error *err)
{
    struct lane_in *in = &sync->in[lane];
    sync->received_bytes += bytes.size;
    /* Decompressed into a place of its own: the inner messages of a stream use the lane's. */
    AUTO(buf_dispose) struct buf scratch = BUF(SYNC_MESSAGE_MAX);
    while (in->bytes.size && bytes.size) { /* no more of it is copied than its message lacks */
        size_t lacking = sync_message_lacks(buf_bytes(&in->bytes));
        size_t step = lacking < bytes.size ? lacking : bytes.size;
        if (!buf_append(&in->bytes, (struct bytes){bytes.data, step}, err) ||
            !handle_all(sync, &in->bytes, &scratch, true, err))
            return error_wrap(err, "sync");
        bytes = (struct bytes){bytes.data + step, bytes.size - step};
    }
    if (!handle_whole(sync, &bytes, &scratch, true, err) || !buf_append(&in->bytes, bytes, err))
        return error_wrap(err, "sync");
    if (in->bytes.size == 0 && in->bytes.capacity > KEPT_BYTES)
        buf_dispose(&in->bytes);
    return true;
}

static bool handle_note(struct sync *sync, struct bytes payload, struct error *err)
{
    struct sync_note note;
    if (!sync_note_decode(payload, &note, err))
        return false;
    char text[SYNC_TEXT_SIZE];
    text_show(note.text, text, sizeof text);
    AUTO(mem_free) char *path = xstrndup((const char *)note.path.data, note.path.size);
    if (sync->options.role != SYNC_LAPTOP)
        return true;
    pull_refused(sync, note.path);
    sync_problem(sync, path, text);
    return true;
}

bool sync_handle(struct sync *sync, const struct sync_message *message, struct error *err)
{
    bool laptop = sync->options.role == SYNC_LAPTOP;
    if (!laptop && !sync->ignore && message->type != SYNC_HELLO)
        return error_set(err, ERROR_INVALID, "sync message before the hello");
    switch ((enum sync_type)message->type) {
    case SYNC_HELLO:
        return !laptop ? remote_hello(sync, message->payload, err)
                       : error_set(err, ERROR_INVALID, "sync hello from the remote side");
    case SYNC_RULES:
        return !laptop ? remote_rules(sync, message->payload, err)
                       : error_set(err, ERROR_INVALID, "sync rules from the remote side");
    case SYNC_WANT:
        return !laptop ? remote_want(sync, message->payload, err)
                       : error_set(err, ERROR_INVALID, "the remote side wants content");
    case SYNC_WELCOME:
        return laptop ? session_welcome(sync, message->payload, err)
                      : error_set(err, ERROR_INVALID, "sync welcome from the laptop");
    case SYNC_LIST:
        return laptop ? session_list(sync, message->payload, err)
                      : error_set(err, ERROR_INVALID, "sync list from the laptop");
    case SYNC_BATCH:
        return laptop ? pull_batch(sync, message->payload, err)
                      : remote_batch(sync, message->payload, err);
    case SYNC_ACK:
        return push_acknowledge(sync, message->payload, err);
    case SYNC_PIECE:
        return receive_piece(sync, message->payload, err);
    case SYNC_NOTE:
        return handle_note(sync, message->payload, err);
    case SYNC_STREAM:
    case SYNC_APART:
        break;
    }
    return error_set(err, ERROR_INVALID, "sync message of unknown type");
}

/* --- A turn -------------------------------------------------------------------------------- */

static void root_is_gone(struct sync *sync, const struct error *why, int64_t *next_us)
{
    static const char nothing[] = "nothing is deleted on the other side";
    bool news = why->os == ENOENT ? guard_set(sync, "%s is gone: %s", sync->options.root, nothing)
                                  : guard_set(sync, "%s: %s", why->text, nothing);
    if (!sync->vanished || news)
        sync_tell(sync, SYNC_EVENT_GUARD, "", sync->guard);
    sync->vanished = true;
    sync->needs_scan = true;
    sync->scan_due_us = sync->now_us + LOOK_AGAIN_US;
    sync_wake_at(sync, next_us, sync->scan_due_us);
}

static bool scan_if_due(struct sync *sync, int64_t *next_us, struct error *err)
{
    if (!sync->needs_scan)
        return true;
    if (sync->scan_due_us > sync->now_us) {
        sync_wake_at(sync, next_us, sync->scan_due_us);
        return true;
    }
    sync->needs_scan = false;
    bool first = !sync->scanned;
    if (!local_scan(sync, "", err)) {
        if (sync->options.role == SYNC_REMOTE)
            return remote_vanished(sync, err, err);
        root_is_gone(sync, err, next_us);
        return true;
    }
    if (sync->vanished) {
        sync->vanished = false;
        sync->guard[0] = '\0';
        sync_tell(sync, SYNC_EVENT_STATE, "", "back");
    }
    guard_review(sync);
    if (sync->options.role == SYNC_REMOTE || !sync->connected)
        return true;
    if (!sync->hello_sent)
        return session_hello(sync, err);
    bool sent = false;
    bool check = first || sync->rules_changed;
    sync->rules_changed = false;
    if (check && !session_rules(sync, &sent, err))
        return false;
    if (!sent)
        session_begin(sync);
    return true;
}

bool sync_step(struct sync *sync, int64_t now_us, int64_t *out_next_us, struct error *err)
{
    *out_next_us = INT64_MAX;
    sync->now_us = now_us;
    bool laptop = sync->options.role == SYNC_LAPTOP;
    if (!laptop && !sync->ignore)
        return true;            /* the hello has not come yet */
    if (sync->withheld.count) { /* a folder in whose place an empty one lies may come back unseen */
        if (!sync->needs_scan && !local_root_stands(sync))
            local_scan_again(sync, 0);
        sync_wake_at(sync, out_next_us, now_us + LOOK_AGAIN_US);
    }
    if (!scan_if_due(sync, out_next_us, err) || !local_events(sync, err))
        return false;
    if (sync->needs_scan) /* the events say so */
        sync_wake_at(sync, out_next_us, sync->scan_due_us);
    if (!laptop && sync->welcome_due && !remote_welcome(sync, err))
        return false;
    local_release(sync, false, out_next_us);
    if (!session_look_again(sync, out_next_us, err))
        return false;
    if (sync->connected && sync->live && !sync->paused && sync_stands(sync)) {
        bool done = laptop ? push_express(sync, out_next_us, err) && pull_wanted(sync, err) &&
                                 push_wave(sync, err)
                           : remote_report(sync, out_next_us, err) && push_wave(sync, err);
        sender_close_folder(sync);
        if (!done)
            return false;
        pieces_step(sync, out_next_us);
        if (wave_left(sync))
            sync_wake_at(sync, out_next_us, push_is_full(sync) ? now_us + FULL_US : now_us);
    }
    if (laptop && sync->scanned && sync->hello_sent && !sync->live) /* the answer is on its way */
        push_ahead(sync);
    if (sync->root_replaced && sync_phase(sync) == SYNC_IN_SYNC)
        sync->root_replaced = false;
    /* What was allowed once is done: the next time is asked for again. */
    if (sync->allow_removals && sync_phase(sync) == SYNC_IN_SYNC)
        sync->allow_removals = sync->options.allow_mass_delete;
    journal_flush(sync); /* also what was agreed on without a word: we may be killed */
    snapshot_save_if_due(sync, out_next_us);
    return true;
}
