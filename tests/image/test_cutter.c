/* SPDX-License-Identifier: Apache-2.0 */
/* The back ends on stub models (tests/data/models/make_stubs.py) with the real contracts: a bright
 * disc on black must come out as the mask. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "image/cutter.h"
#include "infer/runtime.h"

#define STUBS SOURCE_DIR "/tests/data/models/"

enum { WIDTH = 600, HEIGHT = 400, CENTRE_X = 220, CENTRE_Y = 190, RADIUS = 90 };

struct fixture {
    struct runtime *runtime;
    struct picture photo;
};

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->runtime = runtime_open(NULL, &err);
    assert_ok(fixture->runtime, &err);
    fixture->photo = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            int dx = x - CENTRE_X, dy = y - CENTRE_Y;
            int value = dx * dx + dy * dy < RADIUS * RADIUS ? 250 : 5;
            memset(picture_row(&fixture->photo, y) + 3 * x, value, 3);
        }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    runtime_close(fixture->runtime);
    picture_dispose(&fixture->photo);
    free(fixture);
    return 0;
}

static struct cutter *open_stub(const struct fixture *fixture, const char *kind, const char *model,
                                const char *decoder, struct error *err)
{
    char path[512], second[512];
    snprintf(path, sizeof path, STUBS "%s.onnx", model);
    snprintf(second, sizeof second, STUBS "%s.onnx", decoder ? decoder : "");
    struct cutter_files files = {kind, path, decoder ? second : NULL};
    struct session_options options = {.threads = 1};
    return cutter_open(fixture->runtime, &files, &options, err);
}

static int at(const struct picture *mask, int x, int y)
{
    return picture_row(mask, y * mask->height / HEIGHT)[x * mask->width / WIDTH];
}

static void assert_disc(const struct picture *mask)
{
    assert_int_equal(mask->channels, PICTURE_GREY);
    assert_in_range(at(mask, CENTRE_X, CENTRE_Y), 180, 255);
    assert_in_range(at(mask, CENTRE_X + 70, CENTRE_Y + 20), 180, 255);
    assert_in_range(at(mask, CENTRE_X - 70, CENTRE_Y - 20), 180, 255);
    assert_in_range(at(mask, CENTRE_X + 120, CENTRE_Y), 0, 128);
    assert_in_range(at(mask, 10, 10), 0, 128);
    assert_in_range(at(mask, WIDTH - 10, HEIGHT - 10), 0, 128);
    assert_true(at(mask, CENTRE_X, CENTRE_Y) - at(mask, 10, 10) > 100);
}

static void every_birefnet_export_gives_the_mask(void **state)
{
    const char *const models[] = {"birefnet",         "birefnet_512",     "birefnet_fp16",
                                  "birefnet_sigmoid", "birefnet_dynamic", "birefnet_scales"};
    const int sides[] = {1024, 512, 256, 256, 1024, 256};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct error err;
        AUTO(cutter_close) struct cutter *cutter =
            open_stub(fixture, "birefnet", models[i], NULL, &err);
        assert_ok(cutter, &err);
        assert_int_equal(cutter_side(cutter), sides[i]);
        assert_string_equal(cutter_device(cutter), "cpu");
        assert_null(cutter_fallback(cutter));
        AUTO(picture_dispose) struct picture mask = {0};
        assert_ok(cutter_mask(cutter, &fixture->photo, NULL, NULL, &mask, &err), &err);
        assert_int_equal(mask.width, sides[i]);
        assert_disc(&mask);
    }
}

static void the_embedded_network_is_a_back_end_as_well(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct cutter_files files = {"portrait", SOURCE_DIR "/models/selfie_segmentation.onnx", NULL};
    struct session_options options = {.threads = 1};
    AUTO(cutter_close) struct cutter *cutter =
        cutter_open(fixture->runtime, &files, &options, &err);
    assert_ok(cutter, &err);
    assert_int_equal(cutter_side(cutter), 256);
}

static void both_families_of_sam2_answer_within_the_box(void **state)
{
    const char *const models[][2] = {{"sam2_encoder", "sam2_decoder"},
                                     {"sam2_hub_encoder", "sam2_hub_decoder"}};
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        struct error err;
        AUTO(cutter_close) struct cutter *cutter =
            open_stub(fixture, "sam2", models[i][0], models[i][1], &err);
        assert_ok(cutter, &err);
        AUTO(picture_dispose) struct picture whole = {0};
        assert_ok(cutter_mask(cutter, &fixture->photo, NULL, NULL, &whole, &err), &err);
        assert_int_equal(whole.width, 256);
        assert_disc(&whole);
        /* Only the left half of the disc is asked for. */
        struct cut_prompt prompt = {
            .person = {CENTRE_X - RADIUS, CENTRE_Y - RADIUS, RADIUS, 2 * RADIUS},
            .points = {{CENTRE_X - 20, CENTRE_Y, false}},
            .point_count = 1};
        AUTO(picture_dispose) struct picture half = {0};
        assert_ok(cutter_mask(cutter, &fixture->photo, &prompt, NULL, &half, &err), &err);
        assert_in_range(at(&half, CENTRE_X - 20, CENTRE_Y), 200, 255);
        assert_in_range(at(&half, CENTRE_X + 20, CENTRE_Y), 0, 5);
    }
}

/* How the network was asked about `photo`: was what it made of it known already? */
static bool known(struct cutter *cutter, const struct picture *photo, float left)
{
    struct error err;
    const struct cut_prompt prompt = {.person = {left, 0, WIDTH - left, HEIGHT}};
    AUTO(cut_dispose) struct cut cut = {0};
    AUTO(picture_dispose) struct picture mask = {0};
    assert_ok(cut_prepare(cutter, photo, &prompt, 0, &cut, &err), &err);
    assert_ok(cut_infer(cutter, &cut, NULL, &err), &err);
    assert_ok(cut_finish(cutter, &cut, &mask, &err), &err);
    if (left < CENTRE_X)
        assert_in_range(at(&mask, CENTRE_X + 40, CENTRE_Y), 180, 255);
    if (left > CENTRE_X - RADIUS)
        assert_in_range(at(&mask, CENTRE_X - RADIUS + 5, CENTRE_Y), 0, 5);
    return cut.kept;
}

static void sam2_looks_at_a_photo_once_and_is_asked_often(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    AUTO(runtime_close) struct runtime *apart = runtime_open_apart(NULL, NULL, &err);
    assert_ok(apart, &err);
    AUTO(picture_dispose) struct picture other = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    for (int i = 0; i < 2; i++) {
        struct runtime *runtimes[] = {fixture->runtime, apart};
        const struct cutter_files files = {"sam2", STUBS "sam2_encoder.onnx",
                                           STUBS "sam2_decoder.onnx"};
        const struct session_options options = {.threads = 1};
        AUTO(cutter_close)
        struct cutter *cutter = cutter_open(runtimes[i], &files, &options, &err);
        assert_ok(cutter, &err);
        assert_false(known(cutter, &fixture->photo, 0));
        assert_true(known(cutter, &fixture->photo, CENTRE_X));
        for (int shade = 60; shade < 64; shade++) { /* few are kept */
            memset(other.pixels, shade, other.stride * HEIGHT);
            AUTO(cut_dispose) struct cut cut = {0};
            assert_ok(cut_prepare(cutter, &other, NULL, 0, &cut, &err), &err);
            assert_ok(cut_infer(cutter, &cut, NULL, &err), &err);
            assert_false(cut.kept);
        }
        assert_false(known(cutter, &fixture->photo, CENTRE_X));
        assert_true(known(cutter, &fixture->photo, 0));
        assert_true(cutter_forget(cutter) == (i == 0)); /* what is apart does that by itself */
    }
}

static void models_that_do_not_fit_are_refused_with_a_sentence(void **state)
{
    static const struct {
        const char *kind, *model, *decoder, *says;
    } wrong[] = {
        {"birefnet", "wrong_rank", NULL, "is float32 [3,64,64], not a picture of rank 4"},
        {"birefnet", "wrong_channels", NULL, "[1,4,64,64], not one picture with 3 channels"},
        {"birefnet", "wrong_size", NULL, "16 to 4096 pixels are supported"},
        {"birefnet", "wrong_type", NULL, "is uint8 [1,3,64,64], neither float32 nor float16"},
        {"birefnet", "wrong_output", NULL, "no output is a mask of rank 4 with one channel"},
        {"birefnet", "sam2_decoder", NULL, "it has 7 inputs, not one"},
        {"sam2", "sam2_encoder", NULL, "its decoder is missing"},
        {"sam2", "sam2_encoder", "sam2_hub_decoder", "the decoder has no \"high_res_feats_0\""},
        {"sam2", "birefnet", "sam2_decoder", "the encoder has no \"high_res_feats_0\""},
        {"mystery", "birefnet", NULL, "model kind \"mystery\" is unknown"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        assert_null(open_stub(*state, wrong[i].kind, wrong[i].model, wrong[i].decoder, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        if (!strstr(err.text, wrong[i].says))
            fail_msg("%s does not say %s", err.text, wrong[i].says);
    }
}

static void an_answer_that_is_no_number_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    AUTO(cutter_close) struct cutter *cutter =
        open_stub(fixture, "birefnet", "birefnet_nan", NULL, &err);
    assert_ok(cutter, &err);
    struct picture mask = {0};
    assert_false(cutter_mask(cutter, &fixture->photo, NULL, NULL, &mask, &err));
    assert_non_null(strstr(err.text, "the network's answer is not a number"));
    assert_null(mask.pixels);
}

static void what_the_runtime_does_not_take_is_refused_in_its_words(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    static const struct {
        const char *name, *content, *stub, *says;
    } wrong[] = {
        {"empty", "", NULL, "does not have a graph"},
        {"archive", "PK\003\004 this is no network", NULL, "Protobuf parsing failed"},
        {"future", NULL, "wrong_opset", "Opset 999"},
        {"halved", NULL, "wrong_external", "External data path does not exist"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        char path[512];
        snprintf(path, sizeof path, STUBS "%s.onnx", wrong[i].stub ? wrong[i].stub : "");
        if (wrong[i].content) {
            snprintf(path, sizeof path, "%s/%s.onnx", dir, wrong[i].name);
            assert_ok(file_write(path, bytes_of(wrong[i].content), &err), &err);
        }
        struct cutter_files files = {"birefnet", path, NULL};
        struct session_options options = {.threads = 1};
        assert_null(cutter_open(((struct fixture *)*state)->runtime, &files, &options, &err));
        if (!strstr(err.text, wrong[i].says) || !strstr(err.text, ".onnx: ONNX Runtime: ") ||
            strstr(err.text, ".cc:"))
            fail_msg("%s does not say %s", err.text, wrong[i].says);
    }
}

static void half_a_model_is_refused(void **state)
{
    struct error err;
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(buf_dispose) struct buf model = BUF(4 << 20);
    char path[512];
    snprintf(path, sizeof path, "%s/half.onnx", dir);
    assert_ok(file_read(SOURCE_DIR "/models/selfie_segmentation.onnx", &model, &err), &err);
    assert_ok(file_write(path, (struct bytes){model.data, model.size / 2}, &err), &err);
    struct cutter_files files = {"portrait", path, NULL};
    struct session_options options = {.threads = 1};
    assert_null(cutter_open(((struct fixture *)*state)->runtime, &files, &options, &err));
    assert_non_null(strstr(err.text, "half.onnx"));
}

static void a_device_that_is_not_there_is_replaced_and_said_so(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct cutter_files files = {"birefnet", STUBS "birefnet_512.onnx", NULL};
    struct session_options options = {.threads = 1, .device = "cuda"};
    AUTO(cutter_close) struct cutter *cutter =
        cutter_open(fixture->runtime, &files, &options, &err);
    assert_ok(cutter, &err);
    if (strcmp(cutter_device(cutter), "cpu") == 0) {
        assert_non_null(cutter_fallback(cutter));
        assert_memory_equal(cutter_fallback(cutter), "asked for cuda:0, running on cpu: ", 34);
    }
    options.device_required = true;
    options.device = "tpu";
    assert_null(cutter_open(fixture->runtime, &files, &options, &err));
    assert_non_null(strstr(err.text, "device \"tpu\": use cpu, cuda or cuda:N"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_birefnet_export_gives_the_mask),
        cmocka_unit_test(the_embedded_network_is_a_back_end_as_well),
        cmocka_unit_test(both_families_of_sam2_answer_within_the_box),
        cmocka_unit_test(sam2_looks_at_a_photo_once_and_is_asked_often),
        cmocka_unit_test(models_that_do_not_fit_are_refused_with_a_sentence),
        cmocka_unit_test(an_answer_that_is_no_number_is_an_error),
        cmocka_unit_test(what_the_runtime_does_not_take_is_refused_in_its_words),
        cmocka_unit_test(half_a_model_is_refused),
        cmocka_unit_test(a_device_that_is_not_there_is_replaced_and_said_so),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
