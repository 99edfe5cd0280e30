/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that lies, or only talks and never listens: it is cut off, and what is kept for it stays
 * bounded. */
#include "wire/world.h"

static void nothing(void *context)
{
    (void)context;
}

static const struct mux_events deaf_events = {.output = nothing, .ended = nothing};

static void hello_from_client(struct mux *mux)
{
    uint8_t frame[FRAME_HEADER_SIZE + HELLO_SIZE];
    struct hello hello = {.version = PROTOCOL_VERSION, .oldest = PROTOCOL_OLDEST};
    struct error err;
    frame_header(frame, FRAME_HELLO, HELLO_SIZE, 0, 0);
    hello_encode(&hello, frame + FRAME_HEADER_SIZE);
    assert_ok(mux_receive(mux, (struct bytes){frame, sizeof frame}, 1, &err), &err);
}

/* Ranges of versions that do not meet are named; those that do are no fault. */
static void another_version_is_named_and_refused(void **state)
{
    static const struct {
        uint16_t version, oldest;
        bool fine;
    } cases[] = {
        {PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 1, false},
        {PROTOCOL_OLDEST - 1, 0, false},
        {PROTOCOL_VERSION + 5, PROTOCOL_OLDEST, true},
        {PROTOCOL_VERSION, PROTOCOL_OLDEST, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        uint8_t frame[FRAME_HEADER_SIZE + HELLO_SIZE];
        struct hello hello = {.version = cases[i].version, .oldest = cases[i].oldest};
        struct mux *mux = mux_new(MUX_AGENT, (struct mux_id){{0}}, &deaf_events, NULL);
        mux_attach(mux, 1);
        frame_header(frame, FRAME_HELLO, HELLO_SIZE, 0, 0);
        hello_encode(&hello, frame + FRAME_HEADER_SIZE);
        bool fine = mux_receive(mux, (struct bytes){frame, sizeof frame}, 1, &err);
        assert_int_equal(fine, cases[i].fine);
        if (!fine)
            assert_non_null(strstr(err.text, "the other side speaks protocol "));
        mux_free(mux);
    }
}

static void opening_without_taking_the_answers_ends_the_session(void **state)
{
    static const uint8_t payload[] = {CHANNEL_BULK, 1, 'x'};
    enum { MANY = 2000 * 1000 };
    struct mux *mux = mux_new(MUX_AGENT, (struct mux_id){{0}}, &deaf_events, NULL);
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
        cmocka_unit_test(another_version_is_named_and_refused),
        cmocka_unit_test(a_peer_that_lies_is_cut_off),
        cmocka_unit_test(more_than_the_credit_breaks),
        cmocka_unit_test(opening_without_taking_the_answers_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
