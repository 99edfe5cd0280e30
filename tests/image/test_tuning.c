/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/tuning.h"
#include "infer/runtime.h"

#define STUBS SOURCE_DIR "/tests/data/models/"

static const struct tuned large = {.model = "birefnet@1:0123456789ab",
                                   .device = "cuda:0",
                                   .name = "NVIDIA H100",
                                   .threads = 1,
                                   .streams = 4,
                                   .batch = 2,
                                   .pictures_per_s = 50.5,
                                   .p50_ms = 79};

static void what_was_measured_is_found_again_for_that_model_on_that_device(void **state)
{
    (void)state;
    struct error err;
    struct tuned found, other = large;
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/tuning.json", dir);
    assert_false(tuning_find(path, &large, &found));
    assert_ok(tuning_keep(path, &large, &err), &err);
    snprintf(other.name, sizeof other.name, "NVIDIA T4");
    other.streams = 1;
    assert_false(tuning_find(path, &other, &found));
    assert_ok(tuning_keep(path, &other, &err), &err);
    assert_true(tuning_find(path, &large, &found));
    assert_int_equal(found.streams, 4);
    assert_int_equal(found.batch, 2);
    assert_float_equal(found.pictures_per_s, 50.5, 1e-9);
    assert_true(tuning_find(path, &other, &found));
    assert_int_equal(found.streams, 1);
}

static void a_later_measurement_replaces_the_earlier(void **state)
{
    (void)state;
    struct error err;
    struct tuned found, better = large;
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/tuning.json", dir);
    better.streams = 2;
    assert_ok(tuning_keep(path, &large, &err) && tuning_keep(path, &better, &err), &err);
    assert_true(tuning_find(path, &large, &found));
    assert_int_equal(found.streams, 2);
}

static void a_file_that_makes_no_sense_is_as_good_as_none(void **state)
{
    (void)state;
    static const char *const files[] = {"",
                                        "[",
                                        "{}",
                                        "{\"version\": 1}",
                                        "{\"version\": 1, \"measured\": [7, {\"model\": 3}]}",
                                        "{\"version\": 2, \"measured\": []}"};
    struct error err;
    struct tuned found;
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/tuning.json", dir);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_ok(file_write(path, bytes_of(files[i]), &err), &err);
        assert_false(tuning_find(path, &large, &found));
    }
    assert_ok(tuning_keep(path, &large, &err), &err);
    assert_true(tuning_find(path, &large, &found));
}

struct watcher {
    int count, batches;
    double best;
};

static void note(void *context, const struct tuned *measured)
{
    struct watcher *watcher = context;
    watcher->count++;
    watcher->batches += measured->batch > 1;
    if (measured->pictures_per_s > watcher->best)
        watcher->best = measured->pictures_per_s;
}

static struct tuned measure(const char *file, struct watcher *watcher)
{
    struct error err;
    struct tuned best;
    struct model_entry entry = {.name = "stub", .version = "1", .kind = "birefnet"};
    entry.paths[0] = (char *)(uintptr_t)file;
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    assert_ok(runtime, &err);
    const struct tune_how how = {
        .each_s = 0.005, .max_threads = 1, .tell = note, .context = watcher};
    assert_ok(tune(runtime, &entry, &how, &best, &err), &err);
    return best;
}

static void the_fastest_of_what_makes_sense_is_found(void **state)
{
    (void)state;
    struct watcher watcher = {0};
    struct tuned best = measure(STUBS "birefnet_512.onnx", &watcher);
    assert_true(watcher.count >= 2);
    assert_int_equal(watcher.batches, 0); /* it takes one at a time */
    assert_true(best.pictures_per_s * 1.06 > watcher.best);
    assert_string_equal(best.device, "cpu");
    assert_true(best.p50_ms > 0);
}

static void a_model_that_takes_several_at_once_is_measured_with_several(void **state)
{
    (void)state;
    struct watcher watcher = {0};
    struct tuned best = measure(STUBS "birefnet_dynamic.onnx", &watcher);
    assert_true(watcher.batches >= 4);
    assert_in_range(best.batch, 1, BATCH_MAX);
}

static void pictures_cut_out_together_are_as_if_cut_out_alone(void **state)
{
    (void)state;
    enum { COUNT = 3 };
    struct error err;
    struct cut cuts[COUNT] = {{.width = 0}}, *pointers[COUNT];
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    const struct cutter_files files = {"birefnet", STUBS "birefnet_dynamic.onnx", NULL};
    const struct session_options options = {.threads = 1};
    AUTO(cutter_close) struct cutter *cutter = cutter_open(runtime, &files, &options, &err);
    assert_ok(cutter, &err);
    assert_int_equal(cutter_batch(cutter), 4);
    for (int i = 0; i < COUNT; i++) {
        AUTO(picture_dispose) struct picture photo = picture_new(64, 64, PICTURE_RGB);
        memset(photo.pixels, i == 1 ? 250 : 5, photo.stride * 64);
        assert_ok(cut_prepare(cutter, &photo, NULL, 256, &cuts[i], &err), &err);
        pointers[i] = &cuts[i];
    }
    assert_ok(cut_infer_all(cutter, pointers, COUNT, NULL, &err), &err);
    for (int i = 0; i < COUNT; i++) {
        struct picture mask AUTO(picture_dispose) = {0};
        assert_ok(cut_finish(cutter, &cuts[i], &mask, &err), &err);
        assert_int_equal(mask.width, 256);
        assert_in_range(picture_row(&mask, 128)[128], i == 1 ? 250 : 0, i == 1 ? 255 : 5);
        cut_dispose(&cuts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_measured_is_found_again_for_that_model_on_that_device),
        cmocka_unit_test(a_later_measurement_replaces_the_earlier),
        cmocka_unit_test(a_file_that_makes_no_sense_is_as_good_as_none),
        cmocka_unit_test(the_fastest_of_what_makes_sense_is_found),
        cmocka_unit_test(a_model_that_takes_several_at_once_is_measured_with_several),
        cmocka_unit_test(pictures_cut_out_together_are_as_if_cut_out_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
