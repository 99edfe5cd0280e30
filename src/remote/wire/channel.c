/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/mux_internal.h"

/* --- the table of channels ------------------------------------------------------------------ */

static struct channel **slot(const struct mux *mux, uint32_t id)
{
    return &mux->table[(id * 2654435761u) & (mux->table_size - 1)];
}

struct channel *channel_find(const struct mux *mux, uint32_t id)
{
    if (mux->table_size == 0)
        return NULL;
    struct channel *channel = *slot(mux, id);
    while (channel && channel->id != id)
        channel = channel->next_in_table;
    return channel;
}

static void table_grow(struct mux *mux)
{
    size_t old_size = mux->table_size;
    struct channel **old = mux->table;
    mux->table_size = old_size ? old_size * 2 : 16;
    mux->table = xcalloc(mux->table_size, sizeof(struct channel *));
    for (size_t i = 0; i < old_size; i++) {
        for (struct channel *channel = old[i]; channel;) {
            struct channel *next = channel->next_in_table;
            struct channel **at = slot(mux, channel->id);
            channel->next_in_table = *at;
            *at = channel;
            channel = next;
        }
    }
    free(old);
}

static struct channel *channel_new(struct mux *mux, uint32_t id, enum channel_priority priority)
{
    if (mux->channel_count >= mux->table_size)
        table_grow(mux);
    struct channel *channel = xcalloc(1, sizeof *channel);
    channel->mux = mux;
    channel->id = id;
    channel->priority = priority;
    channel->queue = BUF(QUEUE_MAX);
    channel->high = QUEUE_HIGH;
    channel->low = QUEUE_LOW;
    channel->credit = channel->window = channel->allowed = WINDOW_DEFAULT;
    struct channel **at = slot(mux, id);
    channel->next_in_table = *at;
    *at = channel;
    mux->channel_count++;
    return channel;
}

static void pending_remove(struct channel *channel)
{
    if (!channel->pending)
        return;
    channel->pending = false;
    struct pending *list = &channel->mux->pending[channel->priority];
    struct channel *before = NULL;
    for (struct channel *at = list->first; at != channel; at = at->next_pending)
        before = at;
    if (before)
        before->next_pending = channel->next_pending;
    else
        list->first = channel->next_pending;
    if (list->last == channel)
        list->last = before;
}

/* Out of the table at once; the memory goes when no caller can be standing on it. */
static void channel_drop(struct channel *channel)
{
    struct mux *mux = channel->mux;
    assert(!channel->dead);
    pending_remove(channel);
    struct channel **at = slot(mux, channel->id);
    while (*at != channel)
        at = &(*at)->next_in_table;
    *at = channel->next_in_table;
    mux->channel_count--;
    channel->dead = true;
    channel->next_dead = mux->dead;
    mux->dead = channel;
}

static void given_drop(struct channel *channel)
{
    struct given *given = channel->given;
    channel->given = given->next;
    if (!channel->given)
        channel->given_last = NULL;
    buf_dispose(&given->bytes);
    free(given);
}

void channels_reap(struct mux *mux)
{
    while (mux->dead) {
        struct channel *channel = mux->dead;
        mux->dead = channel->next_dead;
        while (channel->given)
            given_drop(channel);
        buf_dispose(&channel->queue);
        zpack_free(channel->pack);
        zunpack_free(channel->unpack);
        free(channel);
    }
}

static void channel_closed(struct channel *channel, const struct error *reason)
{
    channel_drop(channel);
    if (channel->events && channel->events->closed)
        channel->events->closed(channel->context, channel, reason);
}

void channels_close_all(struct mux *mux, const struct error *reason)
{
    for (size_t i = 0; i < mux->table_size; i++)
        while (mux->table[i])
            channel_closed(mux->table[i], reason);
}

/* --- sending -------------------------------------------------------------------------------- */

static size_t queued(const struct channel *channel)
{
    return channel->given_size + channel->queue.size - channel->queue_at;
}

/* What is to be framed next. */
static struct bytes front(const struct channel *channel)
{
    const struct given *given = channel->given;
    return given ? (struct bytes){given->bytes.data + given->at, given->bytes.size - given->at}
                 : (struct bytes){channel->queue.data + channel->queue_at,
                                  channel->queue.size - channel->queue_at};
}

static bool has_work(const struct channel *channel)
{
    return (queued(channel) > 0 && channel->credit > 0) ||
           (queued(channel) == 0 && channel->ending && !channel->end_sent);
}

static void pending_add(struct channel *channel)
{
    if (!channel->pending && !channel->dead && has_work(channel)) {
        struct pending *list = &channel->mux->pending[channel->priority];
        channel->pending = true;
        channel->next_pending = NULL;
        if (list->last)
            list->last->next_pending = channel;
        else
            list->first = channel;
        list->last = channel;
    }
    if (channel->pending)
        mux_want_output(channel->mux);
}

/* Bytes that a channel of that priority may add to what is on the way. */
static size_t allowance(struct mux *mux, enum channel_priority priority)
{
    size_t window = OUTBOX_MAX;
    if (priority != CHANNEL_CONTROL) {
        window = pace_window(&mux->pace, mux->now_us);
        if (priority == CHANNEL_INTERACTIVE)
            window = window * 2 + 256 * 1024;
    }
    if (window > OUTBOX_MAX)
        window = OUTBOX_MAX;
    return window > mux->outbox.bytes ? window - mux->outbox.bytes : 0;
}

static size_t frame_limit(struct mux *mux, const struct channel *channel)
{
    size_t limit = allowance(mux, channel->priority);
    size_t most = FRAME_PAYLOAD_MAX;
    if (channel->priority == CHANNEL_BULK)
        most = pace_frame(&mux->pace);
    if (limit > most)
        limit = most;
    else if (channel->priority == CHANNEL_BULK && limit < most / 2)
        limit = 0; /* rather wait than send crumbs */
    return limit < channel->credit ? limit : channel->credit;
}

static void queue_drop(struct channel *channel, size_t size)
{
    if (channel->given) {
        channel->given->at += size;
        channel->given_size -= size;
        if (channel->given->at == channel->given->bytes.size)
            given_drop(channel);
        return;
    }
    channel->queue_at += size;
    if (channel->queue_at == channel->queue.size) {
        if (channel->queue.capacity > 64 * 1024)
            buf_dispose(&channel->queue);
        else
            buf_clear(&channel->queue);
        channel->queue_at = 0;
    } else if (channel->queue_at > channel->queue.size / 2 && channel->queue_at > 64 * 1024) {
        buf_consume(&channel->queue, channel->queue_at);
        channel->queue_at = 0;
    }
}

static void note_urgency(const struct channel *channel)
{
    if (channel->priority == CHANNEL_INTERACTIVE && !channel->patient)
        channel->mux->urged = true;
}

static void frame_from_queue(struct channel *channel, size_t limit)
{
    struct mux *mux = channel->mux;
    struct bytes raw = front(channel);
    if (raw.size > limit)
        raw.size = limit;
    if (channel->level > 0) {
        if (raw.size > ZSTREAM_RAW_MAX)
            raw.size = ZSTREAM_RAW_MAX;
        uint8_t *room = outbox_reserve(&mux->outbox, FRAME_PAYLOAD_MAX);
        size_t packed = zpack_frame(channel->pack, raw, room, FRAME_PAYLOAD_MAX);
        outbox_commit(&mux->outbox, FRAME_ZDATA, channel->id, packed);
    } else {
        uint8_t *room = outbox_reserve(&mux->outbox, raw.size);
        memcpy(room, raw.data, raw.size);
        outbox_commit(&mux->outbox, FRAME_DATA, channel->id, raw.size);
    }
    channel->credit -= raw.size;
    note_urgency(channel);
    queue_drop(channel, raw.size);
}

static void send_end(struct channel *channel)
{
    struct mux *mux = channel->mux;
    (void)outbox_reserve(&mux->outbox, 0);
    outbox_commit(&mux->outbox, FRAME_END, channel->id, 0);
    channel->end_sent = true;
    if (channel->end_received)
        channel_closed(channel, NULL);
}

/* One frame of one channel. False when the link takes no more of this priority. */
static bool pump_one(struct channel *channel)
{
    struct mux *mux = channel->mux;
    size_t limit = frame_limit(mux, channel);
    if (queued(channel) > 0 && channel->credit > 0 && limit == 0)
        return false;
    pending_remove(channel);
    if (queued(channel) > 0 && limit > 0)
        frame_from_queue(channel, limit);
    if (queued(channel) == 0 && channel->ending && !channel->end_sent) {
        send_end(channel);
        return true;
    }
    pending_add(channel); /* at the end of the line */
    if (channel->was_full && queued(channel) <= channel->low) {
        channel->was_full = false;
        if (channel->events && channel->events->room)
            channel->events->room(channel->context, channel);
    }
    return true;
}

void channels_pump(struct mux *mux)
{
    mux->bulk_waits = false;
    for (int priority = 0; priority < PRIORITIES; priority++) {
        while (mux->pending[priority].first) {
            if (!pump_one(mux->pending[priority].first)) {
                mux->bulk_waits = true;
                break;
            }
        }
    }
}

bool channels_waiting(const struct mux *mux)
{
    for (int priority = 0; priority < PRIORITIES; priority++)
        if (mux->pending[priority].first)
            return true;
    return false;
}

/* Small things go straight into the outbox, without a stay in the queue. */
static bool straight(const struct channel *channel, size_t size)
{
    return channel->mux->attached && queued(channel) == 0 && channel->level == 0 &&
           size <= FRAME_PAYLOAD_MAX && channel->credit >= size &&
           allowance(channel->mux, channel->priority) >= size &&
           (channel->priority != CHANNEL_BULK || size <= pace_frame(&channel->mux->pace));
}

uint8_t *channel_reserve(struct channel *channel, size_t size)
{
    assert(size <= FRAME_PAYLOAD_MAX && !channel->ending && !channel->dead);
    channel->reserved = NULL;
    if (straight(channel, size)) {
        channel->reserved = outbox_reserve(&channel->mux->outbox, size);
        return channel->reserved;
    }
    uint8_t *room = buf_reserve(&channel->queue, size, NULL);
    assert(room); /* the owner kept writing into a full queue */
    return room;
}

void channel_commit(struct channel *channel, size_t size)
{
    if (size == 0)
        return;
    if (channel->reserved) {
        outbox_commit(&channel->mux->outbox, FRAME_DATA, channel->id, size);
        channel->credit -= size;
        channel->reserved = NULL;
        note_urgency(channel);
        mux_want_output(channel->mux);
        return;
    }
    buf_commit(&channel->queue, size);
    if (queued(channel) > channel->high)
        channel->was_full = true;
    pending_add(channel);
}

void channel_write(struct channel *channel, struct bytes bytes)
{
    assert(!channel->ending && !channel->dead);
    if (bytes.size == 0)
        return;
    if (straight(channel, bytes.size)) {
        memcpy(channel_reserve(channel, bytes.size), bytes.data, bytes.size);
        channel_commit(channel, bytes.size);
        return;
    }
    bool fits = buf_append(&channel->queue, bytes, NULL);
    assert(fits);
    if (queued(channel) > channel->high)
        channel->was_full = true;
    pending_add(channel);
}

static void give(struct channel *channel, struct buf *bytes, size_t at)
{
    struct given *given = xmalloc(sizeof *given);
    *given = (struct given){.bytes = *bytes, .at = at};
    *bytes = BUF(bytes->limit);
    if (channel->given_last)
        channel->given_last->next = given;
    else
        channel->given = given;
    channel->given_last = given;
    channel->given_size += given->bytes.size - at;
}

void channel_give(struct channel *channel, struct buf *bytes)
{
    assert(!channel->ending && !channel->dead);
    if (bytes->size <= FRAME_PAYLOAD_MAX) {
        channel_write(channel, buf_bytes(bytes));
        buf_clear(bytes);
        return;
    }
    if (channel->queue.size > channel->queue_at)
        give(channel, &channel->queue, channel->queue_at);
    channel->queue_at = 0;
    give(channel, bytes, 0);
    if (queued(channel) > channel->high)
        channel->was_full = true;
    pending_add(channel);
}

bool channel_full(const struct channel *channel)
{
    return channel->was_full;
}

size_t channel_queued(const struct channel *channel)
{
    return queued(channel);
}

void channel_end(struct channel *channel)
{
    assert(!channel->dead);
    channel->ending = true;
    pending_add(channel);
}

static void send_reset(struct mux *mux, uint32_t id, const struct error *reason)
{
    uint8_t *room = outbox_reserve(&mux->outbox, 2 + FRAME_TEXT_MAX);
    outbox_commit(&mux->outbox, FRAME_RESET, id, reason_encode(reason, room));
    mux_want_output(mux);
}

void channel_reset(struct channel *channel, const struct error *reason)
{
    if (channel->dead)
        return;
    if (!channel->mux->gone)
        send_reset(channel->mux, channel->id, reason);
    channel_drop(channel);
}

static void send_window(struct channel *channel)
{
    struct mux *mux = channel->mux;
    uint8_t *room = outbox_reserve(&mux->outbox, 4);
    write_u32(room, (uint32_t)channel->unreported);
    outbox_commit(&mux->outbox, FRAME_WINDOW, channel->id, 4);
    channel->allowed += channel->unreported;
    channel->unreported = 0;
    mux_want_output(mux);
}

void channel_consumed(struct channel *channel, size_t size)
{
    if (channel->dead || channel->end_received)
        return;
    channel->unreported += size;
    assert(channel->allowed + channel->unreported <= channel->window);
    if (channel->unreported >= channel->window / 4)
        send_window(channel);
}

void channel_window(struct channel *channel, size_t bytes)
{
    if (bytes > WINDOW_LIMIT)
        bytes = WINDOW_LIMIT;
    if (bytes <= channel->window || channel->dead || channel->end_received)
        return;
    channel->unreported += bytes - channel->window;
    channel->window = bytes;
    send_window(channel);
}

void channel_marks(struct channel *channel, size_t high, size_t low)
{
    assert(low < high);
    channel->high = high;
    channel->low = low;
    channel->was_full = channel->was_full || queued(channel) > high;
}

void channel_compress(struct channel *channel, int level)
{
    if (level > 19)
        level = 19;
    channel->level = level > 0 ? level : 0;
    if (level > 0 && !channel->pack)
        channel->pack = zpack_new(level);
    else if (level > 0)
        zpack_level(channel->pack, level);
}

void channel_patient(struct channel *channel)
{
    channel->patient = true;
}

void channel_priority_set(struct channel *channel, enum channel_priority priority)
{
    if (channel->priority == priority || channel->dead)
        return;
    pending_remove(channel);
    channel->priority = priority;
    pending_add(channel);
}

enum channel_priority channel_priority_get(const struct channel *channel)
{
    return channel->priority;
}

const char *channel_service(const struct channel *channel)
{
    return channel->service ? channel->service : "";
}

struct mux *channel_mux(const struct channel *channel)
{
    return channel->mux;
}

void channel_bind(struct channel *channel, const struct channel_events *events, void *context)
{
    channel->events = events;
    channel->context = context;
}

struct channel *channel_open(struct mux *mux, const char *service, enum channel_priority priority,
                             struct bytes request, const struct channel_events *events,
                             void *context)
{
    size_t name = strlen(service);
    assert(name > 0 && name <= CHANNEL_SERVICE_MAX && request.size <= CHANNEL_REQUEST_MAX);
    struct channel *channel = channel_new(mux, mux->next_id, priority);
    mux->next_id += 2;
    channel_bind(channel, events, context);

    size_t size = 2 + name + request.size;
    uint8_t *room = outbox_reserve(&mux->outbox, size < 3 ? 3 : size);
    room[0] = (uint8_t)priority;
    room[1] = (uint8_t)name;
    memcpy(room + 2, service, name);
    if (request.size)
        memcpy(room + 2 + name, request.data, request.size);
    outbox_commit(&mux->outbox, FRAME_OPEN, channel->id, size);
    mux_want_output(mux);
    return channel;
}

/* --- receiving ------------------------------------------------------------------------------ */

void mux_serve(struct mux *mux, const char *name, service_open *open, void *context)
{
    struct service *service = xmalloc(sizeof *service);
    *service = (struct service){mux->services, name, open, context};
    mux->services = service;
}

static const struct service *service_find(const struct mux *mux, struct bytes name)
{
    for (const struct service *service = mux->services; service; service = service->next)
        if (bytes_equal(bytes_of(service->name), name))
            return service;
    return NULL;
}

static bool got_open(struct mux *mux, const struct frame *frame, struct error *err)
{
    struct open open;
    if (frame->channel != mux->next_peer_id)
        return error_set(err, ERROR_INVALID, "channel %u opened where %u comes next",
                         frame->channel, mux->next_peer_id);
    if (mux->outbox.bytes > 2 * OUTBOX_MAX) /* each open may cost us an answer to keep */
        return error_set(err, ERROR_LIMIT, "opens channels and takes no answers");
    if (!open_decode(frame->payload, &open, err))
        return false;
    mux->next_peer_id += 2;

    struct error refusal;
    const struct service *service = service_find(mux, open.service);
    if (mux->channel_count >= CHANNELS_MAX) {
        error_set(&refusal, ERROR_LIMIT, "%d channels are open already", CHANNELS_MAX);
    } else if (!service) {
        error_set(&refusal, ERROR_NOT_FOUND, "no service \"%.*s\" here", (int)open.service.size,
                  (const char *)open.service.data);
    } else {
        struct channel *channel = channel_new(mux, frame->channel, open.priority);
        channel->service = service->name;
        if (service->open(service->context, channel, open.request, &refusal))
            return true;
        if (!channel->dead)
            channel_reset(channel, &refusal);
        return true;
    }
    send_reset(mux, frame->channel, &refusal);
    return true;
}

static bool deliver(struct channel *channel, struct bytes bytes, struct error *err)
{
    if (bytes.size > channel->allowed)
        return error_set(err, ERROR_LIMIT, "channel %u: %zu bytes where %zu are allowed",
                         channel->id, bytes.size, channel->allowed);
    channel->allowed -= bytes.size;
    if (channel->events && channel->events->data)
        channel->events->data(channel->context, channel, bytes);
    else
        channel_consumed(channel, bytes.size);
    return true;
}

static bool got_zdata(struct channel *channel, struct bytes packed, struct error *err)
{
    if (!channel->unpack)
        channel->unpack = zunpack_new();
    zunpack_frame(channel->unpack, packed);
    for (;;) {
        struct bytes piece;
        if (!zunpack_next(channel->unpack, &piece, err))
            return error_wrap(err, "channel %u", channel->id);
        if (piece.size == 0)
            return true;
        if (!deliver(channel, piece, err))
            return false;
        if (channel->dead)
            return true;
    }
}

static bool got_end(struct channel *channel)
{
    channel->end_received = true;
    if (channel->events && channel->events->end)
        channel->events->end(channel->context, channel);
    if (!channel->dead && channel->end_sent)
        channel_closed(channel, NULL);
    return true;
}

static bool got_window(struct channel *channel, uint32_t more, struct error *err)
{
    if (more > WINDOW_LIMIT || channel->credit + more > WINDOW_LIMIT)
        return error_set(err, ERROR_LIMIT, "channel %u: credit of %zu bytes and %u more",
                         channel->id, channel->credit, more);
    channel->credit += more;
    pending_add(channel);
    return true;
}

bool channel_frame(struct mux *mux, const struct frame *frame, struct error *err)
{
    if (frame->type == FRAME_OPEN)
        return got_open(mux, frame, err);

    bool ours = frame->channel % 2 == mux->next_id % 2;
    if (frame->channel >= (ours ? mux->next_id : mux->next_peer_id))
        return error_set(err, ERROR_INVALID, "frame for channel %u, which was never opened",
                         frame->channel);
    struct channel *channel = channel_find(mux, frame->channel);
    if (!channel)
        return true; /* we closed it while this was on its way */
    if (channel->end_received && frame->type != FRAME_WINDOW && frame->type != FRAME_RESET)
        return error_set(err, ERROR_INVALID, "channel %u goes on after its end", channel->id);

    switch (frame->type) {
    case FRAME_DATA:
        return deliver(channel, frame->payload, err);
    case FRAME_ZDATA:
        return got_zdata(channel, frame->payload, err);
    case FRAME_WINDOW:
        return got_window(channel, read_u32(frame->payload.data), err);
    case FRAME_END:
        return got_end(channel);
    default: { /* FRAME_RESET */
        struct error reason;
        reason_decode(frame->payload, &reason);
        channel_closed(channel, &reason);
        return true;
    }
    }
}
