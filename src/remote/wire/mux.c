/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/mux.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/mux_internal.h"

enum {
    ACK_BYTES = 16 * 1024,       /* of numbered frames, after which an answer is due at once */
    ACK_DELAY_US = 20 * 1000,    /* otherwise it waits for something to travel with */
    PING_US = 2000 * 1000,       /* of silence */
    PING_BUSY_US = 500 * 1000,   /* of silence while something is unacknowledged */
    DOUBT_US = 500 * 1000,       /* without an answer: worth a look … */
    DEAD_US = 3000 * 1000,       /* … and this is the end */
    DEAD_HURRY_US = 1000 * 1000, /* the same, when the network has just changed */
    RTT_SLACK_US = 50 * 1000,    /* what a busy link adds to its round trip */
    LATE_US = 1000 * 1000,       /* so late a step means that we were not running */
    OUTPUT_MAX = 1024 * 1024,
    UNSENT_MAX = 128 * 1024,
};

struct mux *mux_new(enum mux_side side, struct mux_id id, const struct mux_events *events,
                    void *context)
{
    struct mux *mux = xcalloc(1, sizeof *mux);
    mux->side = side;
    mux->id = id;
    mux->events = events;
    mux->context = context;
    mux->next_id = side == MUX_CLIENT ? 1 : 2;
    mux->next_peer_id = side == MUX_CLIENT ? 2 : 1;
    mux->urgent = BUF(64 * 1024);
    mux->partial = BUF(FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX);
    pace_init(&mux->pace);
    return mux;
}

void mux_free(struct mux *mux)
{
    if (!mux)
        return;
    struct error reason;
    error_set(&reason, ERROR_UNAVAILABLE, "the session ended");
    mux->gone = true;
    mux->attached = false;
    channels_close_all(mux, &reason);
    channels_reap(mux);
    while (mux->services) {
        struct service *service = mux->services;
        mux->services = service->next;
        free(service);
    }
    outbox_dispose(&mux->outbox);
    buf_dispose(&mux->urgent);
    buf_dispose(&mux->partial);
    free(mux->table);
    free(mux);
}

void mux_want_output(struct mux *mux)
{
    if (mux->asked || !mux->attached)
        return;
    mux->asked = true;
    mux->events->output(mux->context);
}

static void urgent_frame(struct mux *mux, enum frame_type type, struct bytes payload)
{
    uint8_t *room = buf_reserve(&mux->urgent, FRAME_HEADER_SIZE + payload.size, NULL);
    if (!room)
        return; /* a peer that pings without reading gets no answer */
    frame_header(room, type, payload.size, 0, 0);
    if (payload.size)
        memcpy(room + FRAME_HEADER_SIZE, payload.data, payload.size);
    buf_commit(&mux->urgent, FRAME_HEADER_SIZE + payload.size);
    mux_want_output(mux);
}

void mux_attach(struct mux *mux, int64_t now_us)
{
    assert(!mux->ended);
    mux->attached = true;
    mux->established = false;
    mux->asked = mux->said_bye = false;
    mux->attaches++;
    mux->ping_open = mux->side == MUX_CLIENT; /* our hello asks for the peer's */
    mux->doubted = false;
    mux->now_us = mux->heard_us = mux->stepped_us = mux->ping_us = now_us;
    mux->hurry_us = 0;
    buf_clear(&mux->partial);
    buf_clear(&mux->urgent);
    outbox_rewind(&mux->outbox);
    int64_t urgent_us = mux->pace.urgent_us;
    pace_init(&mux->pace);
    mux->pace.urgent_us = urgent_us; /* a cut makes nobody less hurried */
    mux->acked = mux->received;      /* the hello says it */
    mux->unacked_in = 0;

    struct hello hello = {PROTOCOL_VERSION, PROTOCOL_OLDEST, {0}, mux->received};
    uint8_t payload[HELLO_SIZE];
    memcpy(hello.session, mux->id.bytes, sizeof hello.session);
    hello_encode(&hello, payload);
    urgent_frame(mux, FRAME_HELLO, (struct bytes){payload, sizeof payload});
}

void mux_detach(struct mux *mux)
{
    mux->attached = false;
    mux->established = false;
}

bool mux_established(const struct mux *mux)
{
    return mux->established;
}

/* --- receiving ------------------------------------------------------------------------------ */

static bool got_hello(struct mux *mux, struct bytes payload, struct error *err)
{
    struct hello hello;
    if (mux->established)
        return error_set(err, ERROR_INVALID, "a second hello");
    if (!hello_decode(payload, &hello, err))
        return false;
    if (memcmp(hello.session, mux->id.bytes, sizeof hello.session) != 0)
        return error_set(err, ERROR_INVALID, "hello of another session");
    if (hello.received < mux->outbox.first_number || hello.received > mux->outbox.high_number)
        return error_set(
            err, ERROR_INVALID, "the other side has %llu frames, expected %llu to %llu",
            (unsigned long long)hello.received, (unsigned long long)mux->outbox.first_number,
            (unsigned long long)mux->outbox.high_number);
    outbox_acked(&mux->outbox, hello.received);
    mux->established = true;
    mux->ping_open = false;
    mux_want_output(mux);
    return true;
}

static bool got_ack(struct mux *mux, struct bytes payload, struct error *err)
{
    struct ack ack = ack_decode(payload);
    if (ack.received > mux->outbox.sent_number)
        return error_set(err, ERROR_INVALID, "acknowledges frame %llu of %llu",
                         (unsigned long long)ack.received,
                         (unsigned long long)mux->outbox.sent_number);
    if (ack.received <= mux->outbox.first_number)
        return true; /* an older one that was overtaken */
    size_t bytes = outbox_acked(&mux->outbox, ack.received);
    mux->doubted = false;
    pace_acked(&mux->pace, ack.received, bytes, ack.delay_us, mux->now_us);
    if (mux->bulk_waits)
        mux_want_output(mux);
    return true;
}

static void got_pong(struct mux *mux, struct bytes payload)
{
    int64_t sent_us = (int64_t)read_u64(payload.data);
    bool late = mux->doubted;
    mux->doubted = false;
    if (mux->ping_open && sent_us == mux->ping_us) {
        mux->ping_open = false;
        mux->hurry_us = 0;
        if (late)
            return; /* it waited for the network, which says nothing about the link */
        pace_rtt(&mux->pace, mux->now_us - sent_us, mux->now_us);
    }
}

/* Nothing that follows it is read. */
static void send_bye(struct mux *mux)
{
    uint8_t payload[2 + FRAME_TEXT_MAX];
    size_t size = reason_encode(NULL, payload);
    mux->said_bye = true;
    urgent_frame(mux, FRAME_BYE, (struct bytes){payload, size});
}

static bool got_stream_frame(struct mux *mux, const struct frame *frame, struct error *err)
{
    if (frame->type == FRAME_HELLO)
        return got_hello(mux, frame->payload, err);
    if (frame->type == FRAME_ACK)
        return got_ack(mux, frame->payload, err);
    if (frame->type == FRAME_PING)
        urgent_frame(mux, FRAME_PONG, frame->payload);
    else if (frame->type == FRAME_PONG)
        got_pong(mux, frame->payload);
    else { /* FRAME_BYE */
        mux->ended = true;
        if (!mux->said_bye)
            send_bye(mux); /* so that the other side knows */
        if (mux->events->ended)
            mux->events->ended(mux->context);
    }
    return true;
}

static bool got_frame(struct mux *mux, const struct frame *frame, struct error *err)
{
    if (!mux->established && frame->type != FRAME_HELLO)
        return error_set(err, ERROR_INVALID, "a stream that does not begin with hello");
    if (!frame_numbered(frame->type))
        return got_stream_frame(mux, frame, err);

    if (frame->number != (uint32_t)mux->received)
        return error_set(err, ERROR_INVALID, "frame number %u where %u comes next", frame->number,
                         (uint32_t)mux->received);
    if (mux->received == mux->acked)
        mux->unacked_since_us = mux->now_us;
    mux->received++;
    mux->unacked_in += FRAME_HEADER_SIZE + frame->payload.size;
    mux->received_at_us = mux->now_us;
    return channel_frame(mux, frame, err);
}

/* Completes a frame whose beginning came earlier; how many of `input` that took, 0 when it is
 * broken. */
static size_t complete(struct mux *mux, struct bytes input, struct frame *out, bool *out_ready,
                       struct error *err)
{
    struct buf *partial = &mux->partial;
    size_t taken = 0;
    *out_ready = false;
    for (;;) {
        size_t want = FRAME_HEADER_SIZE;
        if (partial->size >= FRAME_HEADER_SIZE)
            want = frame_size(partial->data);
        size_t step = want - partial->size;
        if (step > input.size - taken)
            step = input.size - taken;
        struct bytes piece = {input.data + taken, step};
        if (!buf_append(partial, piece, err))
            return 0;
        taken += step;
        size_t used;
        switch (frame_decode(buf_bytes(partial), out, &used, err)) {
        case FRAME_BROKEN:
            return 0;
        case FRAME_READY:
            *out_ready = true;
            return taken;
        default:
            if (taken == input.size)
                return taken;
        }
    }
}

static bool receive(struct mux *mux, struct bytes input, struct error *err)
{
    struct frame frame;
    if (mux->partial.size > 0) {
        bool ready;
        size_t used = complete(mux, input, &frame, &ready, err);
        if (used == 0)
            return false;
        input = (struct bytes){input.data + used, input.size - used};
        if (!ready)
            return true;
        if (!got_frame(mux, &frame, err))
            return false;
        buf_clear(&mux->partial);
    }
    while (mux->attached && !mux->ended) {
        size_t used;
        switch (frame_decode(input, &frame, &used, err)) {
        case FRAME_BROKEN:
            return false;
        case FRAME_SHORT:
            return buf_append(&mux->partial, input, err);
        default:
            if (!got_frame(mux, &frame, err))
                return false;
            input = (struct bytes){input.data + used, input.size - used};
        }
    }
    return true;
}

bool mux_receive(struct mux *mux, struct bytes bytes, int64_t now_us, struct error *err)
{
    if (!mux->attached || mux->ended || bytes.size == 0)
        return true;
    channels_reap(mux);
    mux->now_us = mux->heard_us = now_us;
    mux->received_bytes += bytes.size;
    if (!receive(mux, bytes, err))
        return error_wrap(err, "the other side breaks the protocol");
    if (mux->unacked_in >= ACK_BYTES || (mux->received > mux->acked && !mux->asked))
        mux_want_output(mux); /* now, or to be told a new time for mux_step */
    return true;
}

/* --- sending -------------------------------------------------------------------------------- */

static bool ack_due(const struct mux *mux)
{
    return mux->established && mux->received > mux->acked &&
           (mux->unacked_in >= ACK_BYTES || mux->urgent.size > 0 || mux->outbox.unsent_bytes > 0 ||
            mux->now_us - mux->unacked_since_us >= ACK_DELAY_US);
}

static void send_ack(struct mux *mux)
{
    int64_t delay = mux->now_us - mux->received_at_us;
    struct ack ack = {mux->received, (uint32_t)(delay < 0 ? 0 : delay)};
    uint8_t payload[ACK_SIZE];
    ack_encode(&ack, payload);
    mux->acked = mux->received;
    mux->unacked_in = 0;
    urgent_frame(mux, FRAME_ACK, (struct bytes){payload, sizeof payload});
}

/* Before the peer's hello nothing may go that may have gone already. */
static bool may_send_numbered(const struct mux *mux)
{
    return mux->established || mux->attaches == 1;
}

size_t mux_output(struct mux *mux, struct bytes *runs, size_t count, int64_t now_us)
{
    mux->asked = true; /* what happens in here needs no call */
    mux->now_us = now_us;
    channels_reap(mux);
    if (!mux->attached) {
        mux->asked = false;
        return 0;
    }
    if (mux->urged)
        pace_urgent(&mux->pace, now_us);
    mux->urged = false;
    bool numbered = may_send_numbered(mux) && !mux->ended && !mux->hasty;
    if (numbered && mux->outbox.unsent_bytes < UNSENT_MAX)
        channels_pump(mux);
    if (ack_due(mux))
        send_ack(mux);
    if (mux->ending && !mux->said_bye && (mux->hasty || mux_flushed(mux)))
        send_bye(mux);

    size_t filled = 0;
    struct outbox *outbox = &mux->outbox;
    if (outbox->frame_left > 0 && count > filled)
        filled += outbox_runs(outbox, runs, 1, outbox->frame_left);
    if (mux->urgent.size > 0 && count > filled)
        runs[filled++] = buf_bytes(&mux->urgent);
    if (numbered && outbox->frame_left == 0 && count > filled)
        filled += outbox_runs(outbox, runs + filled, count - filled, OUTPUT_MAX);
    mux->asked = false;
    return filled;
}

void mux_sent(struct mux *mux, size_t size, int64_t now_us)
{
    mux->now_us = now_us;
    mux->sent_bytes += size;
    struct outbox *outbox = &mux->outbox;
    bool progress = false;
    if (outbox->frame_left > 0) {
        size_t step = size < outbox->frame_left ? size : outbox->frame_left;
        mux->repeated_bytes += outbox_sent(outbox, step);
        size -= step;
        progress = outbox->frame_left == 0;
    }
    if (size > 0) {
        size_t step = size < mux->urgent.size ? size : mux->urgent.size;
        buf_consume(&mux->urgent, step);
        size -= step;
    }
    if (size > 0) {
        uint64_t before = outbox->sent_number;
        mux->repeated_bytes += outbox_sent(outbox, size);
        progress = progress || outbox->sent_number > before;
    }
    if (progress)
        pace_sent(&mux->pace, outbox->sent_number, mux->bulk_waits, now_us);
}

/* --- time ----------------------------------------------------------------------------------- */

/* A round trip to expect. A stream that outlived a short cut has measured that, too: seconds that
 * are not to make us patient with the next one. */
static int64_t usual_rtt_us(const struct mux *mux)
{
    int64_t most_us = 2 * mux->pace.base_rtt_us + RTT_SLACK_US;
    return mux->pace.base_rtt_us && mux->pace.srtt_us > most_us ? most_us : mux->pace.srtt_us;
}

static int64_t dead_after_us(const struct mux *mux)
{
    return (mux->hurry_us ? DEAD_HURRY_US : DEAD_US) + 4 * usual_rtt_us(mux);
}

static int64_t doubt_after_us(const struct mux *mux)
{
    bool told = mux->doubted || !mux->events->doubt;
    return told ? dead_after_us(mux) : DOUBT_US + 4 * usual_rtt_us(mux);
}

static int64_t ping_at_us(const struct mux *mux)
{
    bool busy = mux->outbox.bytes > mux->outbox.unsent_bytes;
    return mux->heard_us + (busy ? PING_BUSY_US + 2 * usual_rtt_us(mux) : PING_US);
}

static void send_ping(struct mux *mux)
{
    uint8_t token[8];
    write_u64(token, (uint64_t)mux->now_us);
    mux->ping_open = true;
    mux->ping_us = mux->now_us;
    urgent_frame(mux, FRAME_PING, (struct bytes){token, sizeof token});
}

void mux_probe(struct mux *mux, int64_t now_us)
{
    mux->now_us = now_us;
    if (!mux->attached)
        return;
    mux->hurry_us = now_us;
    if (mux->established)
        send_ping(mux);
}

/* Only the client asks for signs of life: it is the one that can open a new stream. */
bool mux_step(struct mux *mux, int64_t now_us, struct error *err)
{
    channels_reap(mux);
    int64_t due = mux_next_us(mux);
    bool late = due != INT64_MAX && now_us - due > LATE_US;
    mux->now_us = mux->stepped_us = now_us;
    if (!mux->attached || mux->ended)
        return true;
    if (late && mux->side == MUX_CLIENT) { /* a silence that we slept through proves nothing */
        mux->heard_us = mux->ping_us = now_us;
        mux->ping_open = !mux->established;
        mux_probe(mux, now_us);
        return true;
    }
    if (mux->side == MUX_CLIENT) {
        if (mux->ping_open && mux->heard_us > mux->ping_us)
            mux->ping_open = false; /* something else came; as good as an answer */
        if (mux->ping_open && now_us - mux->ping_us >= dead_after_us(mux))
            return error_set(err, ERROR_TIMEOUT, "no sign of life for %.1f s",
                             (double)(now_us - mux->heard_us) / 1e6);
        if (!mux->ping_open && mux->established && now_us >= ping_at_us(mux))
            send_ping(mux);
        if (mux->ping_open && !mux->doubted && now_us - mux->ping_us >= doubt_after_us(mux)) {
            mux->doubted = true;
            mux->events->doubt(mux->context);
        }
    }
    if (ack_due(mux))
        mux_want_output(mux);
    return true;
}

int64_t mux_next_us(const struct mux *mux)
{
    if (!mux->attached || mux->ended)
        return INT64_MAX;
    int64_t next = INT64_MAX;
    if (mux->side == MUX_CLIENT && (mux->established || mux->ping_open))
        next = mux->ping_open ? mux->ping_us + doubt_after_us(mux) : ping_at_us(mux);
    if (mux->established && mux->received > mux->acked &&
        mux->unacked_since_us + ACK_DELAY_US < next)
        next = mux->unacked_since_us + ACK_DELAY_US;
    return next;
}

int64_t mux_heard_us(const struct mux *mux)
{
    return mux->heard_us;
}

bool mux_doubtful(const struct mux *mux)
{
    return mux->doubted;
}

void mux_end(struct mux *mux, bool at_once)
{
    mux->ending = true;
    mux->hasty = mux->hasty || at_once;
    mux_want_output(mux);
}

bool mux_flushed(const struct mux *mux)
{
    return mux->outbox.unsent_bytes == 0 && mux->urgent.size == 0 && !channels_waiting(mux);
}

void mux_stats(const struct mux *mux, struct mux_stats *out)
{
    *out = (struct mux_stats){
        .rtt_us = mux->pace.srtt_us,
        .base_rtt_us = mux->pace.base_rtt_us,
        .rate_bytes_s = pace_rate(&mux->pace),
        .sent_bytes = mux->sent_bytes,
        .received_bytes = mux->received_bytes,
        .repeated_bytes = mux->repeated_bytes,
        .unacked_bytes = mux->outbox.bytes,
        .attaches = mux->attaches,
        .channels = (unsigned)mux->channel_count,
    };
}
