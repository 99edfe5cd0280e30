/* SPDX-License-Identifier: Apache-2.0 */
/* What is packed on a thread comes out whole and in order, at a level that suits the link. */
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "sync/level.h"
#include "sync/packed.h"
#include "sync/packing.h"

enum { CHUNK = 300 * 1000 };

struct wire {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buf sent;
    unsigned rooms;
};

static void send(void *context, bool apart, struct bytes packed)
{
    (void)apart;
    struct wire *wire = context;
    struct error err;
    pthread_mutex_lock(&wire->lock);
    assert_ok(buf_append(&wire->sent, packed, &err), &err);
    pthread_mutex_unlock(&wire->lock);
}

static size_t queued(void *context)
{
    (void)context;
    return 0;
}

static int64_t distance(void *context)
{
    (void)context;
    return 0;
}

static void room(void *context)
{
    struct wire *wire = context;
    pthread_mutex_lock(&wire->lock);
    wire->rooms++;
    pthread_cond_signal(&wire->changed);
    pthread_mutex_unlock(&wire->lock);
}

static void wire_init(struct wire *wire)
{
    *wire = (struct wire){.sent = BUF(64 << 20)};
    pthread_mutex_init(&wire->lock, NULL);
    pthread_cond_init(&wire->changed, NULL);
}

static void wire_dispose(struct wire *wire)
{
    buf_dispose(&wire->sent);
    pthread_cond_destroy(&wire->changed);
    pthread_mutex_destroy(&wire->lock);
}

static struct packing *start(struct wire *wire, bool threaded)
{
    return packing_new(&(struct packing_plan){.threaded = threaded,
                                              .context = wire,
                                              .send = send,
                                              .queued = queued,
                                              .distance_us = distance,
                                              .room = room});
}

static void chunk(struct buf *out, unsigned seed)
{
    struct error err;
    for (; out->size < CHUNK; seed++)
        assert_ok(buf_printf(out, &err, "line %u is %u\n", seed, seed * 2654435761u), &err);
}

static void unpack(struct bytes packed, struct buf *out, bool *out_idle)
{
    struct error err;
    AUTO(unpacker_free) struct unpacker *unpacker = unpacker_new();
    for (bool more = true; packed.size || more;)
        assert_ok(unpacker_add(unpacker, &packed, out, &more, &err), &err);
    *out_idle = unpacker_idle(unpacker);
}

static void add_and_wait(struct packing *packing, struct wire *wire, struct buf *raw)
{
    packing_add(packing, raw);
    assert_int_equal(raw->size, 0);
    pthread_mutex_lock(&wire->lock);
    unsigned before = wire->rooms;
    pthread_mutex_unlock(&wire->lock);
    if (!packing_full(packing))
        return;
    pthread_mutex_lock(&wire->lock); /* it says so when it is no longer full */
    while (wire->rooms == before)
        pthread_cond_wait(&wire->changed, &wire->lock);
    pthread_mutex_unlock(&wire->lock);
}

static void whole(bool threaded)
{
    struct wire wire;
    struct error err;
    AUTO(buf_dispose) struct buf all = BUF(64 << 20);
    AUTO(buf_dispose) struct buf got = BUF(64 << 20);
    wire_init(&wire);
    struct packing *packing = start(&wire, threaded);
    for (unsigned i = 0; i < 40; i++) {
        struct buf raw = BUF(1 << 20);
        chunk(&raw, i * 1000);
        assert_ok(buf_append(&all, buf_bytes(&raw), &err), &err);
        add_and_wait(packing, &wire, &raw);
        if (i == 20)
            packing_end(packing); /* and goes on in a second stream */
    }
    packing_end(packing);
    packing_end(packing);
    for (;;) { /* all of it has been sent when the counts stay and the stream is closed */
        bool idle;
        pthread_mutex_lock(&wire.lock);
        buf_clear(&got);
        unpack(buf_bytes(&wire.sent), &got, &idle);
        pthread_mutex_unlock(&wire.lock);
        if (idle && got.size == all.size)
            break;
    }
    assert_memory_equal(got.data, all.data, all.size);
    assert_int_equal(packing_counts(packing).raw, all.size);
    assert_int_equal(packing_counts(packing).packed, wire.sent.size);
    packing_free(packing);
    wire_dispose(&wire);
}

static void everything_added_comes_out_in_order(void **state)
{
    (void)state;
    whole(false);
}

static void so_it_does_from_a_thread(void **state)
{
    (void)state;
    whole(true);
}

static void it_ends_in_the_middle_of_its_work(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        struct wire wire;
        wire_init(&wire);
        struct packing *packing = start(&wire, true);
        for (unsigned i = 0; i <= round; i++) {
            struct buf raw = BUF(1 << 20);
            chunk(&raw, i);
            packing_add(packing, &raw);
        }
        packing_free(packing);
        wire_dispose(&wire);
    }
}

/* --- As it is ------------------------------------------------------------------------------ */

struct wide {
    struct wire wire;
    struct buf plain;
    int64_t distance_us, rate;
};

static void send_plain(void *context, struct buf *raw)
{
    struct wide *wide = context;
    struct error err;
    assert_ok(buf_append(&wide->plain, buf_bytes(raw), &err), &err);
    buf_dispose(raw);
}

static int64_t wide_distance(void *context)
{
    return ((struct wide *)context)->distance_us;
}

static int64_t wide_rate(void *context)
{
    return ((struct wide *)context)->rate;
}

static struct packing *start_wide(struct wide *wide)
{
    return packing_new(&(struct packing_plan){.context = wide,
                                              .send = send,
                                              .queued = queued,
                                              .distance_us = wide_distance,
                                              .room = room,
                                              .send_plain = send_plain,
                                              .rate = wide_rate});
}

static void add_message(struct packing *packing, unsigned parts)
{
    packing_begin(packing, false);
    while (parts--) {
        AUTO(buf_dispose) struct buf raw = BUF(CHUNK + 100);
        chunk(&raw, 1);
        packing_add(packing, &raw);
    }
}

static void a_wide_link_gets_it_as_it_is(void **state)
{
    (void)state;
    struct wide wide = {.plain = BUF(64 << 20), .distance_us = 100};
    wire_init(&wide.wire);
    struct packing *packing = start_wide(&wide);
    add_message(packing, 2); /* before there was a rate */
    size_t first = wide.plain.size;
    assert_true(first >= 2 * CHUNK);
    wide.rate = 1000 * 1000 * 1000;
    while (wide.plain.size < 8 << 20)
        add_message(packing, 1);
    assert_int_equal(wide.wire.sent.size, 0);
    packing_end(packing);
    wide.distance_us = 5000;
    add_message(packing, 1);
    packing_end(packing);
    assert_true(wide.wire.sent.size > 0);
    packing_free(packing);
    buf_dispose(&wide.plain);
    wire_dispose(&wide.wire);
}

static void a_narrow_one_does_not_once_that_shows(void **state)
{
    (void)state;
    struct wide wide = {.plain = BUF(64 << 20), .distance_us = 100, .rate = 110 * 1000 * 1000};
    wire_init(&wide.wire);
    struct packing *packing = start_wide(&wide);
    add_message(packing, 20); /* goes as a whole */
    size_t plain = wide.plain.size;
    assert_true(plain >= 20 * CHUNK);
    assert_int_equal(wide.wire.sent.size, 0);
    add_message(packing, 2);
    wide.rate = 1000 * 1000 * 1000; /* no to and fro */
    add_message(packing, 1);
    assert_int_equal(wide.plain.size, plain);
    packing_end(packing);
    AUTO(buf_dispose) struct buf all = BUF(4 << 20);
    bool idle;
    unpack(buf_bytes(&wide.wire.sent), &all, &idle);
    assert_true(idle && all.size >= 3 * CHUNK);
    packing_free(packing);
    buf_dispose(&wide.plain);
    wire_dispose(&wide.wire);
}

static void what_was_packed_is_not_overtaken(void **state)
{
    (void)state;
    struct wide wide = {.plain = BUF(64 << 20)}; /* at a distance that is not known yet */
    wire_init(&wide.wire);
    struct packing *packing = start_wide(&wide);
    add_message(packing, 1);
    assert_int_equal(wide.plain.size, 0);
    wide.distance_us = 100;
    add_message(packing, 1);
    assert_true(wide.plain.size >= CHUNK);
    AUTO(buf_dispose) struct buf all = BUF(4 << 20);
    bool idle;
    unpack(buf_bytes(&wide.wire.sent), &all, &idle);
    assert_true(idle && all.size >= CHUNK);
    packing_free(packing);
    buf_dispose(&wide.plain);
    wire_dispose(&wide.wire);
}

/* --- Apart --------------------------------------------------------------------------------- */

struct two {
    struct buf in_order; /* what both became, in the order in which it was sent */
    struct unpacker *unpackers[2];
};

static void send_to_two(void *context, bool apart, struct bytes packed)
{
    struct two *two = context;
    struct error err;
    for (bool more = true; packed.size || more;)
        assert_ok(unpacker_add(two->unpackers[apart], &packed, &two->in_order, &more, &err), &err);
}

static size_t nothing_queued(void *context)
{
    (void)context;
    return 0;
}

static int64_t far_away(void *context)
{
    (void)context;
    return 12000;
}

static void two_streams_keep_the_order(void **state)
{
    (void)state;
    struct error err;
    struct two two = {.in_order = BUF(16 << 20), .unpackers = {unpacker_new(), unpacker_new()}};
    AUTO(buf_dispose) struct buf expected = BUF(16 << 20);
    struct packing *packing = packing_new(&(struct packing_plan){
        .context = &two, .send = send_to_two, .queued = nothing_queued, .distance_us = far_away});
    for (unsigned i = 0; i < 40; i++) {
        AUTO(buf_dispose) struct buf raw = BUF(CHUNK + 100);
        chunk(&raw, i * 7);
        assert_ok(buf_append(&expected, buf_bytes(&raw), &err), &err);
        packing_begin(packing, i % 3 == 1);
        packing_add(packing, &raw);
    }
    packing_end(packing);
    assert_true(unpacker_idle(two.unpackers[0]) && unpacker_idle(two.unpackers[1]));
    assert_int_equal(two.in_order.size, expected.size);
    assert_memory_equal(two.in_order.data, expected.data, expected.size);
    packing_free(packing);
    unpacker_free(two.unpackers[0]);
    unpacker_free(two.unpackers[1]);
    buf_dispose(&two.in_order);
}

/* --- The level ----------------------------------------------------------------------------- */

static const struct level_sample slow_link = {.took_us = 1000000,
                                              .packing_us = 50000,
                                              .raw = 30000000,
                                              .packed = 12000000,
                                              .queued_before = 2000000,
                                              .queued = 2000000,
                                              .distance_us = 12000};

static void a_slow_link_is_worth_time(void **state)
{
    (void)state;
    int level = level_next(1, &slow_link);
    assert_true(level >= 5);
    struct level_sample slower = slow_link;
    slower.packed /= 10;
    slower.packing_us /= 10;
    assert_int_equal(level_next(1, &slower), LEVEL_MAX);
}

static void a_slow_processor_gets_less_to_do(void **state)
{
    (void)state;
    struct level_sample busy = slow_link;
    busy.packing_us = 800000;
    assert_int_equal(level_next(1, &busy), 1);
    assert_int_equal(level_next(6, &busy), 6); /* it can just keep up */
    busy.packing_us = 1100000;
    assert_true(level_next(6, &busy) < 5);
    busy.queued = 0;
    busy.packing_us = 900000;
    assert_int_equal(level_next(7, &busy), 5);
    assert_int_equal(level_next(1, &busy), 1);
}

static void a_near_link_is_never_slow(void **state)
{
    (void)state;
    struct level_sample near = slow_link;
    near.distance_us = 80;
    assert_int_equal(level_next(1, &near), 1);
}

static void who_waits_for_input_changes_nothing(void **state)
{
    (void)state;
    struct level_sample idle = slow_link;
    idle.queued_before = idle.queued = 0;
    assert_int_equal(level_next(6, &idle), 6);
    assert_int_equal(level_next(6, &(struct level_sample){0}), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_added_comes_out_in_order),
        cmocka_unit_test(so_it_does_from_a_thread),
        cmocka_unit_test(it_ends_in_the_middle_of_its_work),
        cmocka_unit_test(a_wide_link_gets_it_as_it_is),
        cmocka_unit_test(a_narrow_one_does_not_once_that_shows),
        cmocka_unit_test(what_was_packed_is_not_overtaken),
        cmocka_unit_test(two_streams_keep_the_order),
        cmocka_unit_test(a_slow_link_is_worth_time),
        cmocka_unit_test(a_slow_processor_gets_less_to_do),
        cmocka_unit_test(a_near_link_is_never_slow),
        cmocka_unit_test(who_waits_for_input_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
