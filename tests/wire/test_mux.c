/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends, a stream between them that is cut at random places, and a model of what must come
 * through. Time is a number. */
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

static unsigned roll(struct world *world, unsigned below)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(world->random >> 33) % below;
}

static uint8_t byte_at(const struct flow *flow, uint64_t at)
{
    if (flow->seed % 3 == 0)
        return (uint8_t)(at / 64 * 7); /* what compresses */
    uint64_t x = (at + 1) * 0x9e3779b97f4a7c15u + flow->seed;
    return (uint8_t)(x >> 56 ^ x >> 24);
}

static void on_output(void *context)
{
    (void)context;
}

static void on_ended(void *context)
{
    ((struct end *)context)->ended = true;
}

static void on_doubt(void *context)
{
    ((struct end *)context)->doubts++;
}

static const struct mux_events mux_events = {on_output, on_ended, on_doubt};

static void from_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct flow *flow = context;
    (void)channel;
    flow->closed_from = true;
    flow->from = NULL;
    if (!flow->world->expect_break)
        assert_null(reason);
}

static void from_room(void *context, struct channel *channel)
{
    struct flow *flow = context;
    assert_false(channel_full(channel));
    assert_true(flow->room_due);
    flow->room_due = false;
}

static void to_data(void *context, struct channel *channel, struct bytes bytes)
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

static void to_end(void *context, struct channel *channel)
{
    struct flow *flow = context;
    flow->end_seen = true;
    assert_true(flow->ended);
    assert_int_equal(flow->received, flow->written);
    channel_end(channel);
}

static void to_closed(void *context, struct channel *channel, const struct error *reason)
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

static bool accept_flow(void *context, struct channel *channel, struct bytes request,
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

static void end_init(struct world *world, struct end *end, enum mux_side side)
{
    *end = (struct end){.world = world, .wire = BUF(64 << 20)};
    end->mux = mux_new(side, (struct mux_id){{7}}, &mux_events, end);
    mux_serve(end->mux, "flow", accept_flow, end);
}

static void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.random = seed * 2 + 1, .now_us = 1000000};
    end_init(world, &world->client, MUX_CLIENT);
    end_init(world, &world->agent, MUX_AGENT);
}

static void world_dispose(struct world *world)
{
    world->expect_break = true;
    mux_free(world->client.mux);
    mux_free(world->agent.mux);
    buf_dispose(&world->client.wire);
    buf_dispose(&world->agent.wire);
}

static void attach(struct world *world)
{
    buf_clear(&world->client.wire);
    buf_clear(&world->agent.wire);
    mux_attach(world->client.mux, world->now_us);
    mux_attach(world->agent.mux, world->now_us);
}

/* Writes up to `limit` bytes of what the end has to say. */
static void flush(struct world *world, struct end *end, size_t limit)
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

static void pass(struct world *world, struct end *from, struct end *to, size_t size)
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

static void step(struct world *world, int64_t us)
{
    struct error err;
    world->now_us += us;
    assert_ok(mux_step(world->client.mux, world->now_us, &err), &err);
    assert_ok(mux_step(world->agent.mux, world->now_us, &err), &err);
}

static void open_flow(struct world *world)
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

static void write_some(struct world *world, struct flow *flow)
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
    } else {
        channel_write(flow->from, (struct bytes){bytes, size});
    }
    flow->room_due = channel_full(flow->from);
    if (flow->written == flow->length) {
        flow->ended = true;
        channel_end(flow->from);
    }
}

static bool all_done(const struct world *world)
{
    if (world->opened < FLOWS)
        return false;
    for (unsigned i = 0; i < FLOWS; i++)
        if (!world->flows[i].closed_from || !world->flows[i].closed_to)
            return false;
    return true;
}

static void consume(struct world *world)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        struct flow *flow = &world->flows[i];
        if (flow->to && flow->unconsumed) {
            channel_consumed(flow->to, flow->unconsumed);
            flow->unconsumed = 0;
        }
    }
}

static void round_of_cuts(uint64_t seed, unsigned *cuts)
{
    struct world world;
    world_init(&world, seed);
    attach(&world);
    unsigned until_cut = 5 + roll(&world, 20);
    for (unsigned turn = 0; !all_done(&world); turn++) {
        if (turn > 100000)
            fail_msg("seed %llu does not come to an end", (unsigned long long)seed);
        if (roll(&world, 4) == 0)
            open_flow(&world);
        for (unsigned i = 0; i < world.opened; i++)
            if (roll(&world, 2))
                write_some(&world, &world.flows[i]);
        if (roll(&world, 3) == 0)
            consume(&world);
        size_t limit = roll(&world, 3) ? 1u << 20 : roll(&world, 20000);
        flush(&world, &world.client, limit);
        flush(&world, &world.agent, limit);
        pass(&world, &world.client, &world.agent, roll(&world, 200000));
        pass(&world, &world.agent, &world.client, roll(&world, 200000));
        step(&world, roll(&world, 30000));
        if (--until_cut == 0) {
            until_cut = 1 + roll(&world, 20);
            (*cuts)++;
            mux_detach(world.client.mux);
            if (roll(&world, 2)) { /* both notice, or the agent only when the next one comes */
                mux_detach(world.agent.mux);
                if (roll(&world, 2))
                    for (unsigned i = 0; i < world.opened; i++)
                        write_some(&world, &world.flows[i]);
                step(&world, roll(&world, 100000000));
            }
            attach(&world);
        }
    }
    world_dispose(&world);
}

static void nothing_is_lost_doubled_or_reordered_by_cuts(void **state)
{
    (void)state;
    unsigned cuts = 0;
    const char *rounds = getenv("MUX_ROUNDS");
    unsigned count = rounds ? (unsigned)atoi(rounds) : 40;
    for (uint64_t seed = 0; seed < count; seed++)
        round_of_cuts(seed, &cuts);
    print_message("%u rounds, %u cuts\n", count, cuts);
    assert_true(cuts > count);
}

static void settle(struct world *world)
{
    for (int i = 0; i < 200; i++) {
        flush(world, &world->client, 1 << 20);
        flush(world, &world->agent, 1 << 20);
        pass(world, &world->client, &world->agent, 1 << 20);
        pass(world, &world->agent, &world->client, 1 << 20);
        step(world, 1000);
    }
}

struct refusal {
    struct error reason;
    bool closed;
};

static void refused(void *context, struct channel *channel, const struct error *reason)
{
    struct refusal *refusal = context;
    (void)channel;
    refusal->closed = true;
    if (reason)
        refusal->reason = *reason;
}

static const struct channel_events refusal_events = {.closed = refused};

static void refusals_arrive_with_their_reason(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 1);
    attach(&world);
    struct refusal nobody = {0}, denied = {0};
    channel_open(world.client.mux, "nobody", CHANNEL_BULK, (struct bytes){0}, &refusal_events,
                 &nobody);
    struct channel *channel = channel_open(world.client.mux, "flow", CHANNEL_BULK, bytes_of("\xff"),
                                           &refusal_events, &denied);
    channel_write(channel, bytes_of("data behind the open needs no round trip"));
    settle(&world);
    assert_true(nobody.closed && denied.closed);
    assert_error(&nobody.reason, ERROR_NOT_FOUND, "no service \"nobody\" here");
    assert_error(&denied.reason, ERROR_DENIED, "not that one");
    world_dispose(&world);
}

static void interactive_overtakes_bulk(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2);
    attach(&world);
    settle(&world);
    for (uint8_t i = 0; i < 2; i++) {
        world.flows[i] = (struct flow){.world = &world, .seed = i, .length = 1 << 20};
        world.flows[i].from =
            channel_open(world.client.mux, "flow", i == 0 ? CHANNEL_BULK : CHANNEL_INTERACTIVE,
                         (struct bytes){&i, 1}, &from_events, &world.flows[i]);
    }
    world.opened = FLOWS;
    for (int i = 0; i < 4; i++)
        write_some(&world, &world.flows[0]);
    AUTO(mem_free) uint8_t *much = xmalloc(4 << 20);
    struct flow *bulk = &world.flows[0];
    bulk->length = bulk->written + (4 << 20);
    for (size_t i = 0; i < 4 << 20; i++)
        much[i] = byte_at(bulk, bulk->written + i);
    channel_write(bulk->from, (struct bytes){much, 4 << 20});
    bulk->room_due = true;
    bulk->written += 4 << 20;
    flush(&world, &world.client, 1000); /* the link is slow and now full of bulk */
    world.flows[1].length = 10;
    world.flows[1].written = 0;
    uint8_t small[10];
    for (size_t i = 0; i < 10; i++)
        small[i] = byte_at(&world.flows[1], i);
    channel_write(world.flows[1].from, (struct bytes){small, 10});
    world.flows[1].written = 10;
    size_t passed = 0;
    while (world.flows[1].received < 10 && passed < 8 << 20) {
        flush(&world, &world.client, 16 * 1024);
        passed += 16 * 1024;
        pass(&world, &world.client, &world.agent, 1 << 20);
    }
    assert_int_equal(world.flows[1].received, 10);
    assert_in_range(passed, 0, 512 * 1024);
    world_dispose(&world);
}

static void silence_is_noticed_within_seconds(void **state)
{
    (void)state;
    struct world world;
    struct error err;
    world_init(&world, 3);
    attach(&world);
    settle(&world);
    int64_t start_us = world.now_us;
    bool alive = true;
    while (alive && world.now_us - start_us < 60000000) {
        int64_t next = mux_next_us(world.client.mux);
        world.now_us = next > world.now_us ? next : world.now_us + 1;
        alive = mux_step(world.client.mux, world.now_us, &err);
        flush(&world, &world.client, 1 << 20); /* into the void */
        buf_clear(&world.client.wire);
    }
    assert_false(alive);
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    assert_in_range(world.now_us - start_us, 2000000, 6000000);

    attach(&world); /* the network changed: a second must do */
    settle(&world);
    mux_probe(world.client.mux, world.now_us);
    start_us = world.now_us;
    do {
        world.now_us += 10000;
    } while (mux_step(world.client.mux, world.now_us, &err) && world.now_us - start_us < 60000000);
    assert_in_range(world.now_us - start_us, 500000, 1500000);
    world_dispose(&world);
}

/* Time goes on as the client wants to be called; what it sends is lost. */
static bool silent_until(struct world *world, int64_t end_us, struct error *err)
{
    while (mux_next_us(world->client.mux) < end_us) {
        int64_t next = mux_next_us(world->client.mux);
        world->now_us = next > world->now_us ? next : world->now_us + 1;
        if (!mux_step(world->client.mux, world->now_us, err))
            return false;
        flush(world, &world->client, 1 << 20);
        buf_clear(&world->client.wire);
    }
    world->now_us = end_us;
    return true;
}

static void an_overdue_answer_is_told_once_and_until_it_comes(void **state)
{
    (void)state;
    struct world world;
    struct error err;
    world_init(&world, 5);
    attach(&world);
    settle(&world);
    assert_true(silent_until(&world, world.now_us + 4000000, &err));
    assert_int_equal(world.client.doubts, 1);
    assert_true(mux_doubtful(world.client.mux));
    mux_probe(world.client.mux, world.now_us);
    settle(&world);
    assert_false(mux_doubtful(world.client.mux));
    assert_true(silent_until(&world, world.now_us + 4000000, &err));
    assert_int_equal(world.client.doubts, 2);
    assert_int_equal(world.agent.doubts, 0); /* it can do nothing about it */
    world_dispose(&world);
}

static void a_stream_on_which_nobody_says_hello_is_dead_too(void **state)
{
    (void)state;
    struct world world;
    struct error err;
    world_init(&world, 6);
    attach(&world);
    assert_false(silent_until(&world, world.now_us + 5000000, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    world_dispose(&world);
}

static void sleep_is_not_death(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4);
    attach(&world);
    settle(&world);
    step(&world, INT64_C(3600) * 1000000); /* a lid was closed; asserts that it is not dead */
    settle(&world);
    world_dispose(&world);
}

static void goodbye_comes_after_the_data(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5);
    attach(&world);
    for (int i = 0; i < FLOWS; i++)
        open_flow(&world);
    for (int i = 0; i < FLOWS; i++)
        write_some(&world, &world.flows[i]);
    mux_end(world.client.mux);
    settle(&world);
    assert_true(mux_flushed(world.client.mux));
    assert_true(world.agent.ended);
    for (int i = 0; i < FLOWS; i++)
        if (world.flows[i].to)
            assert_true(world.flows[i].received > 0);
    world_dispose(&world);
}

static void break_with(const char *what, const uint8_t *bytes, size_t size, const char *text)
{
    struct world world;
    struct error err;
    world_init(&world, 6);
    attach(&world);
    settle(&world);
    world.expect_break = true;
    bool fine = mux_receive(world.agent.mux, (struct bytes){bytes, size}, world.now_us, &err);
    if (fine)
        fail_msg("%s was accepted", what);
    if (!strstr(err.text, text))
        fail_msg("%s: \"%s\" does not say \"%s\"", what, err.text, text);
    world_dispose(&world);
}

static void a_peer_that_lies_is_cut_off(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[40];
        size_t size;
        const char *text;
    } cases[] = {
        {"unknown type", {99, 0, 0, 0}, 12, "type 99 is unknown"},
        {"huge length", {FRAME_DATA, 0xff, 0xff, 0xff, 0, 0, 0, 1}, 12, "frame of 16777215 bytes"},
        {"wrong number",
         {FRAME_OPEN, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 9, 0, 1, 'x'},
         15,
         "number 9 where 0 comes next"},
        {"skipped channel",
         {FRAME_OPEN, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 'x'},
         15,
         "channel 9 opened where 1 comes next"},
        {"our channel",
         {FRAME_OPEN, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 'x'},
         15,
         "channel 2 opened"},
        {"never opened", {FRAME_DATA, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 'x'}, 13, "never opened"},
        {"name too long",
         {FRAME_OPEN, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 200, 'x'},
         15,
         "service name of 200"},
        {"priority", {FRAME_OPEN, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 9, 1, 'x'}, 15, "priority 9"},
        {"ack of the future",
         {FRAME_ACK, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9},
         24,
         "acknowledges frame 2304"},
        {"second hello",
         {FRAME_HELLO, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 'V', 'M', 'A', 26},
         0,
         "second hello"},
        {"channel on a ping", {FRAME_PING, 0, 0, 8, 0, 0, 0, 3}, 20, "ping frame with channel 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[64] = {0};
        memcpy(bytes, cases[i].bytes, sizeof cases[i].bytes);
        break_with(cases[i].what, bytes, cases[i].size ? cases[i].size : 44, cases[i].text);
    }
}

static void hoard_data(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context, (void)channel, (void)bytes; /* and never says channel_consumed */
}

static const struct channel_events hoard = {.data = hoard_data, .closed = to_closed};

static void frame_append(struct buf *out, enum frame_type type, uint32_t number,
                         struct bytes payload)
{
    uint8_t header[FRAME_HEADER_SIZE];
    frame_header(header, type, payload.size, 1, number);
    assert_true(buf_append(out, (struct bytes){header, sizeof header}, NULL));
    assert_true(buf_append(out, payload, NULL));
}

static void more_than_the_credit_breaks(void **state)
{
    (void)state;
    static const uint8_t zeros[FRAME_PAYLOAD_MAX];
    AUTO(buf_dispose) struct buf open = BUF(1024);
    AUTO(buf_dispose) struct buf data = BUF(4 << 20);
    struct world world;
    struct error err;

    frame_append(&open, FRAME_OPEN, 0, (struct bytes){(const uint8_t *)"\2\4flow\0", 7});
    for (uint32_t i = 1; i <= 17; i++)
        frame_append(&data, FRAME_DATA, i, (struct bytes){zeros, sizeof zeros});
    world_init(&world, 6);
    world.flows[0].world = &world;
    world.expect_break = true;
    attach(&world);
    settle(&world);
    assert_ok(mux_receive(world.agent.mux, buf_bytes(&open), world.now_us, &err), &err);
    assert_non_null(world.flows[0].to);
    channel_bind(world.flows[0].to, &hoard, &world.flows[0]);
    assert_false(mux_receive(world.agent.mux, buf_bytes(&data), world.now_us, &err));
    assert_non_null(strstr(err.text, "bytes where 0 are allowed"));
    world_dispose(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_arrive_with_their_reason),
        cmocka_unit_test(nothing_is_lost_doubled_or_reordered_by_cuts),
        cmocka_unit_test(interactive_overtakes_bulk),
        cmocka_unit_test(silence_is_noticed_within_seconds),
        cmocka_unit_test(an_overdue_answer_is_told_once_and_until_it_comes),
        cmocka_unit_test(a_stream_on_which_nobody_says_hello_is_dead_too),
        cmocka_unit_test(sleep_is_not_death),
        cmocka_unit_test(goodbye_comes_after_the_data),
        cmocka_unit_test(a_peer_that_lies_is_cut_off),
        cmocka_unit_test(more_than_the_credit_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
