/* SPDX-License-Identifier: Apache-2.0 */
/* What must come through comes through, whatever the stream does. */
#include "wire/world.h"

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
    mux_end(world.client.mux, false);
    settle(&world);
    assert_true(mux_flushed(world.client.mux));
    assert_true(world.agent.ended);
    assert_true(world.client.ended); /* it was answered */
    for (int i = 0; i < FLOWS; i++)
        if (world.flows[i].to)
            assert_true(world.flows[i].received > 0);
    world_dispose(&world);
}

static void a_goodbye_that_a_cut_took_along_is_said_again(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 6);
    attach(&world);
    settle(&world);
    mux_end(world.client.mux, false);
    flush(&world, &world.client, 1 << 20);
    buf_clear(&world.client.wire); /* into the void */
    mux_detach(world.client.mux);
    mux_detach(world.agent.mux);
    assert_false(world.agent.ended || world.client.ended);
    attach(&world);
    settle(&world);
    assert_true(world.agent.ended && world.client.ended);
    world_dispose(&world);
}

static void a_goodbye_at_once_leaves_what_is_still_to_be_written(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 7);
    attach(&world);
    settle(&world);
    for (int i = 0; i < FLOWS; i++)
        open_flow(&world);
    for (int i = 0; i < 20 * FLOWS; i++)
        write_some(&world, &world.flows[i % FLOWS]);
    flush(&world, &world.client, 1000); /* in the middle of a frame */
    mux_end(world.client.mux, true);
    settle(&world); /* the agent takes no more than it gave credit for: that would never all go */
    assert_true(world.agent.ended && world.client.ended);
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
        cmocka_unit_test(a_goodbye_that_a_cut_took_along_is_said_again),
        cmocka_unit_test(a_goodbye_at_once_leaves_what_is_still_to_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
