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

/* Out of the table at once; the memory goes when no caller can be standing on it. */
static void channel_drop(struct channel *channel)
{
    struct mux *mux = channel->mux;
    assert(!channel->dead);
    channel_unqueue(channel);
    struct channel **at = slot(mux, channel->id);
    while (*at != channel)
        at = &(*at)->next_in_table;
    *at = channel->next_in_table;
    mux->channel_count--;
    channel->dead = true;
    channel->next_dead = mux->dead;
    mux->dead = channel;
}

void channel_drop_given(struct channel *channel)
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
            channel_drop_given(channel);
        buf_dispose(&channel->queue);
        zpack_free(channel->pack);
        zunpack_free(channel->unpack);
        free(channel);
    }
}

void channel_closed(struct channel *channel, const struct error *reason)
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

/* --- its end, its window and what it is ------------------------------------------------------ */

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
    channel->was_full = channel->was_full || channel_queued(channel) > high;
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
    channel_unqueue(channel);
    channel->priority = priority;
    channel_enqueue(channel);
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
    channel_enqueue(channel);
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
