/* SPDX-License-Identifier: Apache-2.0 */
#include "image/models_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "image/segment.h"
#include "image/tuning.h"

static int set_up(void **state)
{
    struct models_fixture *fixture = calloc(1, sizeof *fixture);
    *fixture = models_fixture_new();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    models_fixture_dispose(*state);
    free(*state);
    return 0;
}

static void segment_close_auto(struct segment **segment)
{
    segment_close(*segment);
}

static struct segment *open_with(const struct models_fixture *fixture, const char *model,
                                 struct error *err)
{
    struct segment_settings settings = {.embedded_dir = SOURCE_DIR "/models",
                                        .user_dir = fixture->dir,
                                        .image_model = model,
                                        .streams = 2};
    return segment_open(fixture->runtime, &settings, err);
}

static void choose(const struct models_fixture *fixture, const char *which)
{
    struct error err;
    char problem[160];
    AUTO(models_dispose) struct models models;
    assert_ok(
        models_read(SOURCE_DIR "/models", fixture->dir, &models, problem, sizeof problem, &err),
        &err);
    assert_ok(models_use(fixture->dir, &models.entries[models_find(&models, which)], &err), &err);
}

static void matte_of(const struct models_fixture *fixture, struct segment *segment, int *out_top,
                     int *out_bottom)
{
    struct error err;
    AUTO(picture_dispose) struct picture matte = {0};
    assert_ok(segment_matte(segment, &fixture->halves, NULL, NULL, &matte, &err), &err);
    assert_int_equal(matte.width, 320);
    assert_int_equal(matte.height, 240);
    *out_top = picture_row(&matte, 20)[160];
    *out_bottom = picture_row(&matte, 220)[160];
}

static void another_model_is_used_from_the_next_picture_on(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    int top, bottom;
    models_fixture_add(fixture, "bright", STUBS "birefnet_512.onnx");
    AUTO(segment_close) struct segment *segment = open_with(fixture, NULL, &err);
    assert_ok(segment, &err);
    assert_memory_equal(segment_state(segment).model, "portrait@1:", 11);
    choose(fixture, "bright");
    matte_of(fixture, segment, &top, &bottom);
    assert_memory_equal(segment_state(segment).model, "bright@1:", 9);
    assert_int_equal(top, 255);
    assert_int_equal(bottom, 0);
    choose(fixture, "portrait");
    matte_of(fixture, segment, &top, &bottom);
    assert_memory_equal(segment_state(segment).model, "portrait@1:", 11);
}

static void a_model_that_cannot_be_loaded_leaves_the_old_one_in_use(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    int top, bottom;
    models_fixture_add(fixture, "wrong", STUBS "wrong_rank.onnx");
    AUTO(segment_close) struct segment *segment = open_with(fixture, NULL, &err);
    assert_ok(segment, &err);
    choose(fixture, "wrong");
    matte_of(fixture, segment, &top, &bottom);
    assert_memory_equal(segment_state(segment).model, "portrait@1:", 11);
}

/* As long as before, but not what the manifest says. */
static void a_model_that_was_changed_is_not_loaded(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    char path[512];
    models_fixture_add(fixture, "bright", STUBS "birefnet_512.onnx");
    snprintf(path, sizeof path, "%s/bright/1/model.onnx", fixture->dir);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    int first = fgetc(file);
    rewind(file);
    fputc(first ^ 1, file);
    fclose(file);
    assert_null(open_with(fixture, "bright", &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_memory_equal(err.text, "bright@1: model.onnx has SHA-256 ", 33);
    assert_non_null(strstr(err.text, "where its manifest says"));
}

static void a_setting_that_names_nothing_is_an_error_at_the_start(void **state)
{
    struct error err;
    assert_null(open_with(*state, "birefnet-hr", &err));
    assert_error(&err, ERROR_NOT_FOUND, "IMAGE_MODEL=birefnet-hr is not installed");
}

static void time_and_memory_were_measured(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    models_fixture_add(fixture, "large", STUBS "birefnet.onnx");
    AUTO(segment_close) struct segment *segment = open_with(fixture, "large", &err);
    assert_ok(segment, &err);
    struct segment_state now = segment_state(segment);
    assert_true(now.seconds > 0);
    assert_true(now.memory_bytes > (size_t)8 << 20); /* three planes of 1024² floats are 12 MiB */
    assert_string_equal(now.device, "cpu");
}

static void a_deadline_that_has_passed_is_kept(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    AUTO(segment_close) struct segment *segment = open_with(fixture, NULL, &err);
    assert_ok(segment, &err);
    struct segment_how how = {.deadline_ms = mono_ms() - 1};
    struct picture matte = {0};
    assert_false(segment_matte(segment, &fixture->halves, NULL, &how, &matte, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
}

struct caller {
    const struct models_fixture *fixture;
    struct segment *segment;
};

static void *call(void *context)
{
    struct caller *caller = context;
    for (int i = 0; i < 10; i++) {
        int top, bottom;
        if (i == 5)
            choose(caller->fixture, "bright");
        matte_of(caller->fixture, caller->segment, &top, &bottom);
    }
    return NULL;
}

static void threads_share_it_while_the_model_changes(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    pthread_t threads[4];
    models_fixture_add(fixture, "bright", STUBS "birefnet_512.onnx");
    AUTO(segment_close) struct segment *segment = open_with(fixture, NULL, &err);
    assert_ok(segment, &err);
    struct caller caller = {fixture, segment};
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, call, &caller);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(segment_state(segment).scheduler.served, 40);
    assert_int_equal(segment_state(segment).scheduler.inside, 0);
}

/* Taken along by whoever is at the device, some of them leave, and each gets its own picture. */
struct rider_call {
    struct segment *segment;
    int grey, rounds;
    bool wrong;
};

static void *ride(void *context)
{
    struct rider_call *call = context;
    struct picture photo AUTO(picture_dispose) = picture_new(64, 64, PICTURE_RGB);
    memset(photo.pixels, call->grey, photo.stride * 64);
    for (int i = 0; i < call->rounds; i++) {
        struct error err;
        struct picture matte AUTO(picture_dispose) = {0};
        struct segment_how how = {.deadline_ms = i % 3 ? mono_ms() + 60000 : mono_ms() + 1};
        if (segment_matte(call->segment, &photo, NULL, &how, &matte, &err))
            call->wrong |= (picture_row(&matte, 32)[32] > 128) != (call->grey > 128);
        else
            call->wrong |= i % 3 != 0 || err.kind != ERROR_TIMEOUT;
    }
    return NULL;
}

static void pictures_that_share_a_run_stay_apart(void **state)
{
    struct models_fixture *fixture = *state;
    struct error err;
    pthread_t threads[8];
    struct rider_call calls[8];
    char problem[160];
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/tuning.json", dir);
    models_fixture_add(fixture, "together", STUBS "birefnet_dynamic.onnx");
    AUTO(models_dispose) struct models models;
    assert_ok(
        models_read(SOURCE_DIR "/models", fixture->dir, &models, problem, sizeof problem, &err),
        &err);
    struct tuned tuned = {.device = "cpu", .threads = 1, .streams = 1, .batch = 3};
    model_key(&models.entries[models_find(&models, "together")], tuned.model);
    device_name("cpu", NULL, tuned.name);
    assert_ok(tuning_keep(path, &tuned, &err), &err);
    const struct segment_settings settings = {.embedded_dir = SOURCE_DIR "/models",
                                              .user_dir = fixture->dir,
                                              .image_model = "together",
                                              .place = INFERENCE_INSIDE,
                                              .tuning_path = path};
    AUTO(segment_close) struct segment *segment = segment_open(fixture->runtime, &settings, &err);
    assert_ok(segment, &err);
    assert_int_equal(segment_state(segment).batch, 3);
    for (int i = 0; i < 8; i++) {
        calls[i] = (struct rider_call){segment, i % 2 ? 250 : 5, 6, false};
        pthread_create(&threads[i], NULL, ride, &calls[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_false(calls[i].wrong);
    }
    assert_true(segment_state(segment).scheduler.served >= 8 * 4); /* all that were not hurried */
    assert_int_equal(segment_state(segment).scheduler.inside, 0);
    assert_int_equal(segment_state(segment).scheduler.waiting, 0);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(another_model_is_used_from_the_next_picture_on),
        HERE(a_model_that_cannot_be_loaded_leaves_the_old_one_in_use),
        HERE(a_model_that_was_changed_is_not_loaded),
        HERE(a_setting_that_names_nothing_is_an_error_at_the_start),
        HERE(time_and_memory_were_measured),
        HERE(a_deadline_that_has_passed_is_kept),
        HERE(threads_share_it_while_the_model_changes),
        HERE(pictures_that_share_a_run_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
