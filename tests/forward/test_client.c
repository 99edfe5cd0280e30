/* SPDX-License-Identifier: Apache-2.0 */
/* What the other side may ask of us: connections to what we set up, and nothing else. */
#include "support/test.h"

#include <string.h>

#include "forward/forward.h"
#include "support/mux_pair.h"

struct answer {
    struct loop *loop;
    bool closed, has_reason;
    struct error reason;
};

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    (void)context;
    channel_consumed(channel, bytes.size);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct answer *answer = context;
    (void)channel;
    answer->closed = true;
    answer->has_reason = reason != NULL;
    if (reason)
        answer->reason = *reason;
    loop_stop(answer->loop);
}

static const struct channel_events events = {on_data, NULL, NULL, on_closed};

static struct answer ask(struct mux_pair *pair, struct mux *from, const char *service,
                         struct bytes request)
{
    struct answer answer = {.loop = pair->loop};
    channel_open(from, service, CHANNEL_CONTROL, request, &events, &answer);
    mux_pair_run(pair);
    assert_true(answer.closed);
    return answer;
}

static void an_agent_gets_no_connection_that_nobody_set_up(void **state)
{
    static const uint8_t requests[][5] = {{0, 0, 0, 9}, {0, 0, 0, 1}, {255, 255, 255, 255}, {0}};
    struct mux_pair pair;
    (void)state;
    mux_pair_init(&pair);
    struct forward_client *client = forward_client_new(pair.loop, pair.client);
    struct forward_rule rule;
    assert_true(forward_rule_parse("0=1", false, &rule, NULL)); /* number 1, but not in reverse */
    assert_non_null(forward_add(client, &rule, NULL, NULL));
    for (size_t i = 0; i < 4; i++) {
        for (size_t size = 0; size <= 5; size += i == 3 ? 1 : 4) {
            struct answer answer =
                ask(&pair, pair.agent, "accepted", (struct bytes){requests[i], size});
            assert_true(answer.has_reason);
            assert_int_equal(answer.reason.kind, ERROR_DENIED);
        }
    }
    forward_client_free(client);
    mux_pair_dispose(&pair);
}

static void what_a_client_asks_for_has_to_be_a_place(void **state)
{
    static const char *const wrong[] = {"", ":", "host:", "host:99999", "host:1x", "a\tb:1"};
    struct mux_pair pair;
    char endless[4096];
    (void)state;
    mux_pair_init(&pair);
    struct forward_server *server = forward_server_new(pair.loop, pair.agent);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_true(ask(&pair, pair.client, "dial", bytes_of(wrong[i])).has_reason);
    memset(endless, 'a', sizeof endless);
    assert_true(
        ask(&pair, pair.client, "dial", (struct bytes){(const uint8_t *)endless, sizeof endless})
            .has_reason);
    assert_true(
        ask(&pair, pair.client, "dial", (struct bytes){(const uint8_t *)"h\0:1", 4}).has_reason);
    for (size_t size = 0; size < 4; size++)
        assert_true(ask(&pair, pair.client, "listen", (struct bytes){(const uint8_t *)"abcd", size})
                        .has_reason);
    forward_server_free(server);
    mux_pair_dispose(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_gets_no_connection_that_nobody_set_up),
        cmocka_unit_test(what_a_client_asks_for_has_to_be_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
