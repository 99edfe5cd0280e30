/* SPDX-License-Identifier: Apache-2.0 */
/* A channel tied to a socket, over a whole session: carrier, mux and bridge. */
#include "support/test.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "carry/bridge.h"
#include "carry/relay.h"
#include "support/mux_pair.h"

struct scene {
    struct mux_pair pair;
    int far; /* the other end of the bridged socket */
    bool bridged, ended, closed;
    struct error reason;
    bool has_reason;
    char got[64];
    size_t got_size;
};

static void tie(struct scene *scene, struct channel *channel, struct bytes early)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    scene->far = ends[1];
    struct bridge_plan plan = {.kind = BRIDGE_SOCKET,
                               .in_fd = ends[0],
                               .out_fd = ends[0],
                               .connecting = early.size > 0,
                               .early = early};
    assert_non_null(bridge_new(scene->pair.loop, channel, &plan, NULL, NULL));
    scene->bridged = true;
    loop_stop(scene->pair.loop);
}

/* As one that looks a name up first would have it. */
static void on_early(void *context, struct channel *channel, struct bytes bytes)
{
    tie(context, channel, bytes);
}

static const struct channel_events early_events = {.data = on_early};

static bool on_open(void *context, struct channel *channel, struct bytes request, struct error *err)
{
    (void)err;
    if (request.size > 0)
        channel_bind(channel, &early_events, context);
    else
        tie(context, channel, (struct bytes){0});
    return true;
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct scene *scene = context;
    assert_true(bytes.size <= sizeof scene->got - scene->got_size);
    memcpy(scene->got + scene->got_size, bytes.data, bytes.size);
    scene->got_size += bytes.size;
    channel_consumed(channel, bytes.size);
    loop_stop(scene->pair.loop);
}

static void on_end(void *context, struct channel *channel)
{
    struct scene *scene = context;
    (void)channel;
    scene->ended = true;
    loop_stop(scene->pair.loop);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct scene *scene = context;
    (void)channel;
    scene->closed = true;
    scene->has_reason = reason != NULL;
    if (reason)
        scene->reason = *reason;
    loop_stop(scene->pair.loop);
}

static const struct channel_events events = {on_data, on_end, NULL, on_closed};

static struct channel *scene_open(struct scene *scene, const char *service, const char *early)
{
    mux_pair_init(&scene->pair);
    mux_serve(scene->pair.agent, "bridged", on_open, scene);
    struct channel *channel = channel_open(scene->pair.client, service, CHANNEL_INTERACTIVE,
                                           bytes_of(early), &events, scene);
    if (*early)
        channel_write(channel, bytes_of(early));
    mux_pair_run(&scene->pair);
    return channel;
}

static void read_far(struct scene *scene, const char *expected)
{
    char got[64] = {0};
    size_t size = 0;
    while (size < strlen(expected)) { /* turns of the loop bring it */
        ssize_t more = recv(scene->far, got + size, sizeof got - size, MSG_DONTWAIT);
        if (more > 0)
            size += (size_t)more;
        else
            timer_start(scene->pair.patience, 1), loop_run(scene->pair.loop);
    }
    scene->pair.late = false;
    assert_string_equal(got, expected);
}

static void bytes_and_ends_go_both_ways(void **state)
{
    struct scene scene = {0};
    char byte;
    (void)state;
    struct channel *channel = scene_open(&scene, "bridged", "");
    assert_true(scene.bridged);
    channel_write(channel, bytes_of("question"));
    channel_end(channel); /* a half-close: the answer still comes */
    read_far(&scene, "question");
    while (recv(scene.far, &byte, 1, MSG_DONTWAIT) != 0) { /* its end comes, too */
        timer_start(scene.pair.patience, 1);
        loop_run(scene.pair.loop);
    }
    scene.pair.late = false;
    assert_int_equal(send(scene.far, "answer", 6, 0), 6);
    while (scene.got_size < 6)
        mux_pair_run(&scene.pair);
    assert_memory_equal(scene.got, "answer", 6);
    assert_false(scene.ended);
    close(scene.far);
    while (!scene.closed)
        mux_pair_run(&scene.pair);
    assert_true(scene.ended);
    assert_false(scene.has_reason);
    mux_pair_dispose(&scene.pair);
}

static void what_came_before_the_bridge_goes_first(void **state)
{
    struct scene scene = {0};
    (void)state;
    struct channel *channel = scene_open(&scene, "bridged", "early ");
    channel_write(channel, bytes_of("late"));
    read_far(&scene, "early late");
    channel_reset(channel, NULL);
    mux_pair_dispose(&scene.pair);
    close(scene.far);
}

static void a_service_that_nobody_offers_is_refused_with_a_reason(void **state)
{
    struct scene scene = {0};
    (void)state;
    assert_non_null(scene_open(&scene, "no such service", ""));
    assert_true(scene.closed && scene.has_reason);
    assert_int_equal(scene.reason.kind, ERROR_NOT_FOUND);
    mux_pair_dispose(&scene.pair);
}

static void relayed(void *context)
{
    *(bool *)context = true;
}

static bool relay_open(void *context, struct channel *channel, struct bytes request,
                       struct error *err)
{
    struct scene *scene = context;
    static bool done;
    (void)err;
    done = false;
    relay_channel(channel, scene->pair.agent, request, relayed, &done);
    scene->closed = scene->closed || done;
    return true;
}

static void a_relay_hands_refusals_back(void **state)
{
    /* client → agent, where "there and back" is opened again towards the client, who has no such
     * service: its refusal reaches the first opener. */
    struct scene scene = {0};
    (void)state;
    mux_pair_init(&scene.pair);
    mux_serve(scene.pair.agent, "there and back", relay_open, &scene);
    assert_non_null(channel_open(scene.pair.client, "there and back", CHANNEL_CONTROL,
                                 bytes_of("x"), &events, &scene));
    mux_pair_run(&scene.pair);
    assert_true(scene.closed && scene.has_reason);
    assert_int_equal(scene.reason.kind, ERROR_NOT_FOUND);
    mux_pair_dispose(&scene.pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_ends_go_both_ways),
        cmocka_unit_test(what_came_before_the_bridge_goes_first),
        cmocka_unit_test(a_service_that_nobody_offers_is_refused_with_a_reason),
        cmocka_unit_test(a_relay_hands_refusals_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
