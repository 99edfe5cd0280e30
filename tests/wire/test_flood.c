/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that only talks and never listens: what is kept for it stays bounded. */
#include "support/test.h"

#include "base/buf.h"
#include "wire/frame.h"
#include "wire/mux.h"

static void nothing(void *context)
{
    (void)context;
}

static const struct mux_events events = {.output = nothing, .ended = nothing};

static void hello_from_client(struct mux *mux)
{
    uint8_t frame[FRAME_HEADER_SIZE + HELLO_SIZE];
    struct hello hello = {.version = PROTOCOL_VERSION, .oldest = PROTOCOL_OLDEST};
    struct error err;
    frame_header(frame, FRAME_HELLO, HELLO_SIZE, 0, 0);
    hello_encode(&hello, frame + FRAME_HEADER_SIZE);
    assert_ok(mux_receive(mux, (struct bytes){frame, sizeof frame}, 1, &err), &err);
}

static void opening_without_taking_the_answers_ends_the_session(void **state)
{
    static const uint8_t payload[] = {CHANNEL_BULK, 1, 'x'};
    enum { MANY = 2000 * 1000 };
    struct mux *mux = mux_new(MUX_AGENT, (struct mux_id){{0}}, &events, NULL);
    struct mux_stats stats;
    struct error err;
    bool taken = true;
    mux_attach(mux, 1);
    hello_from_client(mux);
    for (uint32_t i = 0; taken && i < MANY; i++) {
        uint8_t frame[FRAME_HEADER_SIZE + sizeof payload];
        frame_header(frame, FRAME_OPEN, sizeof payload, 1 + 2 * i, i);
        memcpy(frame + FRAME_HEADER_SIZE, payload, sizeof payload);
        taken = mux_receive(mux, (struct bytes){frame, sizeof frame}, 1, &err);
    }
    mux_stats(mux, &stats);
    assert_false(taken);
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_true(stats.unacked_bytes < 40 * 1024 * 1024);
    mux_free(mux);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_without_taking_the_answers_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
