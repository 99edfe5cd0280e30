/* SPDX-License-Identifier: Apache-2.0 */
/* What channels send: their queues, in turns, by priority, as far as credit and the link allow. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "wire/mux_internal.h"

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

void channel_unqueue(struct channel *channel)
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

void channel_enqueue(struct channel *channel)
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
            channel_drop_given(channel);
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
    channel_unqueue(channel);
    if (queued(channel) > 0 && limit > 0)
        frame_from_queue(channel, limit);
    if (queued(channel) == 0 && channel->ending && !channel->end_sent) {
        send_end(channel);
        return true;
    }
    channel_enqueue(channel); /* at the end of the line */
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
    channel_enqueue(channel);
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
    channel_enqueue(channel);
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
    channel_enqueue(channel);
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
    channel_enqueue(channel);
}
