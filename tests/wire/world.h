/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends, a stream between them that is cut at random places, and a model of what must come
 * through. Time is a number. */
#pragma once

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "wire/frame.h"
#include "wire/mux.h"

enum { FLOWS = 6 };

struct world;

struct end {
    struct world *world;
    struct mux *mux;
    struct buf wire; /* what this end has sent and the other not yet received */
    bool ended;
    unsigned doubts;
};

/* One direction of one channel: byte i is a function of the flow and of i. */
struct flow {
    struct world *world;
    struct channel *from, *to;
    uint64_t written, received, unconsumed, length;
    unsigned seed;
    bool ended, end_seen, closed_from, closed_to, room_due;
};

struct world {
    struct end client, agent;
    struct flow flows[FLOWS];
    unsigned opened;
    uint64_t random;
    int64_t now_us;
    bool expect_break;
};

static inline unsigned roll(struct world *world, unsigned below)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(world->random >> 33) % below;
}

static inline uint8_t byte_at(const struct flow *flow, uint64_t at)
{
    if (flow->seed % 3 == 0)
        return (uint8_t)(at / 64 * 7); /* what compresses */
    uint64_t x = (at + 1) * 0x9e3779b97f4a7c15u + flow->seed;
    return (uint8_t)(x >> 56 ^ x >> 24);
}

static inline void on_output(void *context)
{
    (void)context;
}

static inline void on_ended(void *context)
{
    ((struct end *)context)->ended = true;
}

static inline void on_doubt(void *context)
{
    ((struct end *)context)->doubts++;
}

static const struct mux_events mux_events = {on_output, on_ended, on_doubt};

static inline void from_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct flow *flow = context;
    (void)channel;
    flow->closed_from = true;
    flow->from = NULL;
    if (!flow->world->expect_break)
        assert_null(reason);
}

static inline void from_room(void *context, struct channel *channel)
{
    struct flow *flow = context;
    assert_false(channel_full(channel));
    assert_true(flow->room_due);
    flow->room_due = false;
}

static inline void to_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct flow *flow = context;
    assert_false(flow->end_seen);
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] != byte_at(flow, flow->received + i))
            fail_msg("flow %u: byte %llu is wrong", flow->seed,
                     (unsigned long long)(flow->received + i));
    flow->received += bytes.size;
    flow->unconsumed += bytes.size;
    if (roll(flow->world, 2)) {
        channel_consumed(channel, flow->unconsumed);
        flow->unconsumed = 0;
    }
}

static inline void to_end(void *context, struct channel *channel)
{
    struct flow *flow = context;
    flow->end_seen = true;
    assert_true(flow->ended);
    assert_int_equal(flow->received, flow->written);
    channel_end(channel);
}

static inline void to_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct flow *flow = context;
    (void)channel;
    flow->closed_to = true;
    flow->to = NULL;
    if (!flow->world->expect_break)
        assert_null(reason);
}

static const struct channel_events from_events = {.room = from_room, .closed = from_closed};
static const struct channel_events to_events = {
    .data = to_data, .end = to_end, .closed = to_closed};

static inline bool accept_flow(void *context, struct channel *channel, struct bytes request,
                               struct error *err)
{
    struct end *end = context;
    assert_int_equal(request.size, 1);
    if (request.data[0] >= FLOWS)
        return error_set(err, ERROR_DENIED, "not that one");
    struct flow *flow = &end->world->flows[request.data[0]];
    flow->to = channel;
    channel_bind(channel, &to_events, flow);
    return true;
}

static inline void end_init(struct world *world, struct end *end, enum mux_side side)
{
    *end = (struct end){.world = world, .wire = BUF(64 << 20)};
    end->mux = mux_new(side, (struct mux_id){{7}}, &mux_events, end);
    mux_serve(end->mux, "flow", accept_flow, end);
}

static inline void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.random = seed * 2 + 1, .now_us = 1000000};
    end_init(world, &world->client, MUX_CLIENT);
    end_init(world, &world->agent, MUX_AGENT);
}

static inline void world_dispose(struct world *world)
{
    world->expect_break = true;
    mux_free(world->client.mux);
    mux_free(world->agent.mux);
    buf_dispose(&world->client.wire);
    buf_dispose(&world->agent.wire);
}

static inline void attach(struct world *world)
{
    buf_clear(&world->client.wire);
    buf_clear(&world->agent.wire);
    mux_attach(world->client.mux, world->now_us);
    mux_attach(world->agent.mux, world->now_us);
}

/* Writes up to `limit` bytes of what the end has to say. */
static inline void flush(struct world *world, struct end *end, size_t limit)
{
    struct bytes runs[4];
    size_t count = mux_output(end->mux, runs, 4, world->now_us);
    size_t sent = 0;
    for (size_t i = 0; i < count && sent < limit; i++) {
        size_t size = runs[i].size < limit - sent ? runs[i].size : limit - sent;
        assert_true(buf_append(&end->wire, (struct bytes){runs[i].data, size}, NULL));
        sent += size;
    }
    mux_sent(end->mux, sent, world->now_us);
}

static inline void pass(struct world *world, struct end *from, struct end *to, size_t size)
{
    struct error err;
    if (size > from->wire.size)
        size = from->wire.size;
    if (size == 0)
        return;
    AUTO(mem_free) uint8_t *copy = xmalloc(size); /* so that sanitizers see a borrowed pointer */
    memcpy(copy, from->wire.data, size);
    buf_consume(&from->wire, size);
    assert_ok(mux_receive(to->mux, (struct bytes){copy, size}, world->now_us, &err), &err);
}

static inline void step(struct world *world, int64_t us)
{
    struct error err;
    world->now_us += us;
    assert_ok(mux_step(world->client.mux, world->now_us, &err), &err);
    assert_ok(mux_step(world->agent.mux, world->now_us, &err), &err);
}

static inline void open_flow(struct world *world)
{
    if (world->opened == FLOWS)
        return;
    uint8_t index = (uint8_t)world->opened++;
    struct flow *flow = &world->flows[index];
    *flow = (struct flow){.world = world, .seed = index, .length = 1 + roll(world, 400000)};
    struct end *end = roll(world, 2) ? &world->client : &world->agent;
    flow->from = channel_open(end->mux, "flow", roll(world, 3), (struct bytes){&index, 1},
                              &from_events, flow);
    if (roll(world, 2))
        channel_compress(flow->from, 1 + (int)roll(world, 3));
}

static inline void write_some(struct world *world, struct flow *flow)
{
    if (!flow->from || flow->ended || channel_full(flow->from))
        return;
    size_t size = roll(world, 4) ? roll(world, 500) : roll(world, 300000);
    if (size > flow->length - flow->written)
        size = flow->length - flow->written;
    AUTO(mem_free) uint8_t *bytes = xmalloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(flow, flow->written + i);
    flow->written += size;
    if (size <= 65536 && roll(world, 2)) {
        memcpy(channel_reserve(flow->from, 65536), bytes, size);
        channel_commit(flow->from, size);
    } else if (roll(world, 2)) {
        struct error err;
        AUTO(buf_dispose) struct buf given = BUF(1 << 20);
        assert_ok(buf_append(&given, (struct bytes){bytes, size}, &err), &err);
        channel_give(flow->from, &given);
        assert_int_equal(given.size, 0);
    } else {
        channel_write(flow->from, (struct bytes){bytes, size});
    }
    flow->room_due = channel_full(flow->from);
    if (flow->written == flow->length) {
        flow->ended = true;
        channel_end(flow->from);
    }
}

static inline bool all_done(const struct world *world)
{
    if (world->opened < FLOWS)
        return false;
    for (unsigned i = 0; i < FLOWS; i++)
        if (!world->flows[i].closed_from || !world->flows[i].closed_to)
            return false;
    return true;
}

static inline void consume(struct world *world)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow *flow = &world->flows[i];
        if (flow->to && flow->unconsumed) {
            channel_consumed(flow->to, flow->unconsumed);
            flow->unconsumed = 0;
        }
    }
}

static inline void settle(struct world *world)
{
    for (int i = 0; i < 200; i++) {
        flush(world, &world->client, 1 << 20);
        flush(world, &world->agent, 1 << 20);
        pass(world, &world->client, &world->agent, 1 << 20);
        pass(world, &world->agent, &world->client, 1 << 20);
        step(world, 1000);
    }
}
