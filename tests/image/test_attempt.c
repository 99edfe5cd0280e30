/* SPDX-License-Identifier: Apache-2.0 */
/* What ends a picture that is being cut out, and what is done when memory is short. The network
 * runs for as long as its picture is bright: for ever when it is white. */
#include "image/models_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "image/segment.h"

struct fixture {
    struct models_fixture models;
    struct segment *segment;
    struct picture endless, grey;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->models = models_fixture_new();
    fixture->endless = picture_new(320, 240, PICTURE_RGB);
    fixture->grey = picture_new(320, 240, PICTURE_RGB);
    memset(fixture->endless.pixels, 255, fixture->endless.stride * 240);
    memset(fixture->grey.pixels, 128, fixture->grey.stride * 240);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    segment_close(fixture->segment);
    picture_dispose(&fixture->endless);
    picture_dispose(&fixture->grey);
    models_fixture_dispose(&fixture->models);
    free(fixture);
    return 0;
}

static void open_stub(struct fixture *fixture, const char *file, size_t memory_bytes)
{
    struct error err;
    models_fixture_add(&fixture->models, "stub", file);
    const struct segment_settings settings = {.embedded_dir = SOURCE_DIR "/models",
                                              .user_dir = fixture->models.dir,
                                              .image_model = "stub",
                                              .streams = 1,
                                              .memory_bytes = memory_bytes};
    fixture->segment = segment_open(fixture->models.runtime, &settings, &err);
    assert_ok(fixture->segment, &err);
}

static void assert_device_free(struct fixture *fixture)
{
    struct error err;
    struct picture matte AUTO(picture_dispose) = {0};
    const struct segment_how how = {.deadline_ms = mono_ms() + 10 * 1000};
    assert_int_equal(segment_state(fixture->segment).scheduler.inside, 0);
    assert_ok(segment_matte(fixture->segment, &fixture->grey, NULL, &how, &matte, &err), &err);
}

static void a_deadline_stops_a_network_that_runs(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct picture matte = {0};
    open_stub(fixture, STUBS "birefnet_slow.onnx", 0);
    const struct segment_how how = {.deadline_ms = mono_ms() + 200};
    assert_false(segment_matte(fixture->segment, &fixture->endless, NULL, &how, &matte, &err));
    assert_error(&err, ERROR_TIMEOUT, "the deadline passed while it was being cut out");
    assert_true(mono_ms() - how.deadline_ms < 2000);
    assert_device_free(fixture);
}

static bool has_left(void *asked)
{
    atomic_bool *left = asked;
    return atomic_load(left);
}

struct caller {
    struct fixture *fixture;
    struct segment_how how;
    struct error err;
    bool done;
    pthread_t thread;
};

static void *call(void *context)
{
    struct caller *caller = context;
    struct picture matte AUTO(picture_dispose) = {0};
    caller->done = segment_matte(caller->fixture->segment, &caller->fixture->endless, NULL,
                                 &caller->how, &matte, &caller->err);
    return NULL;
}

static void await(struct fixture *fixture, int inside, int waiting)
{
    for (;;) {
        struct scheduler_state now = segment_state(fixture->segment).scheduler;
        if (now.inside == inside && now.waiting == waiting)
            return;
        sched_yield();
    }
}

static void a_client_that_went_away_frees_the_device(void **state)
{
    struct fixture *fixture = *state;
    atomic_bool left = false;
    open_stub(fixture, STUBS "birefnet_slow.onnx", 0);
    struct caller caller = {fixture, {.gone = has_left, .asked = &left}, .done = true};
    pthread_create(&caller.thread, NULL, call, &caller);
    await(fixture, 1, 0);
    atomic_store(&left, true);
    pthread_join(caller.thread, NULL);
    assert_false(caller.done);
    assert_error(&caller.err, ERROR_CANCELLED, "nobody waits for it any more");
    assert_device_free(fixture);
}

static void who_left_while_waiting_is_never_let_in(void **state)
{
    struct fixture *fixture = *state;
    atomic_bool left[2] = {false, false};
    open_stub(fixture, STUBS "birefnet_slow.onnx", 0);
    struct caller runs = {fixture, {.gone = has_left, .asked = &left[0]}, .done = true};
    struct caller waits = {fixture, {.gone = has_left, .asked = &left[1]}, .done = true};
    pthread_create(&runs.thread, NULL, call, &runs);
    await(fixture, 1, 0);
    pthread_create(&waits.thread, NULL, call, &waits);
    await(fixture, 1, 1);
    atomic_store(&left[1], true);
    await(fixture, 1, 0);
    atomic_store(&left[0], true);
    pthread_join(waits.thread, NULL);
    pthread_join(runs.thread, NULL);
    assert_int_equal(waits.err.kind, ERROR_CANCELLED);
    assert_int_equal(segment_state(fixture->segment).scheduler.served, 1);
}

/* 1024² floats are 4 MiB: they do not fit, 512² do. */
static void a_picture_that_does_not_fit_into_memory_is_cut_out_smaller(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    open_stub(fixture, STUBS "birefnet_dynamic.onnx", (size_t)3 << 20);
    for (int i = 0; i < 3; i++) {
        struct picture matte AUTO(picture_dispose) = {0};
        assert_ok(
            segment_matte(fixture->segment, &fixture->models.halves, NULL, NULL, &matte, &err),
            &err);
        assert_int_equal(matte.width, 320);
        assert_in_range(picture_row(&matte, 20)[160], 250, 255);
        assert_in_range(picture_row(&matte, 220)[160], 0, 5);
    }
    assert_string_equal(segment_state(fixture->segment).short_of_memory,
                        "memory is short: pictures are cut out at 512 x 512");
}

static void what_fits_in_no_way_is_refused_and_the_next_one_is_served(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    const struct model_source source = {"huge", "1", "birefnet", "MIT", {STUBS "birefnet.onnx"}};
    const struct segment_settings settings = {.embedded_dir = SOURCE_DIR "/models",
                                              .user_dir = fixture->models.dir,
                                              .image_model = "huge",
                                              .memory_bytes = (size_t)2 << 20};
    assert_ok(models_add(fixture->models.dir, &source, NULL, &err), &err);
    assert_null(segment_open(fixture->models.runtime, &settings, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(err.code, "image_out_of_memory");
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(a_deadline_stops_a_network_that_runs),
        HERE(a_client_that_went_away_frees_the_device),
        HERE(who_left_while_waiting_is_never_let_in),
        HERE(a_picture_that_does_not_fit_into_memory_is_cut_out_smaller),
        HERE(what_fits_in_no_way_is_refused_and_the_next_one_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
