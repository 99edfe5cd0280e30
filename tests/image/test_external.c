/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "image/external.h"

#define STUBS SOURCE_DIR "/tests/data/models/"

static struct buf stub_read(const char *path)
{
    struct error err;
    struct buf content = BUF(1 << 20);
    assert_ok(file_read(path, &content, &err), &err);
    return content;
}

/* A model of one graph with one weight, which is kept at `place`; lengths below 128 only. */
static struct bytes model_with(const char *place, uint8_t out[256])
{
    size_t length = strlen(place), at = 0;
    const uint8_t head[] = {7 << 3 | 2,  (uint8_t)(length + 18), /* graph */
                            5 << 3 | 2,  (uint8_t)(length + 16), /* a weight */
                            13 << 3 | 2, (uint8_t)(length + 12), /* a remark on it */
                            1 << 3 | 2,  8};
    memcpy(out, head, sizeof head);
    at = sizeof head;
    memcpy(out + at, "location", 8);
    at += 8;
    out[at++] = 2 << 3 | 2;
    out[at++] = (uint8_t)length;
    memcpy(out + at, place, length);
    at += length;
    out[at++] = 14 << 3; /* where the weight is: elsewhere */
    out[at++] = 1;
    return (struct bytes){out, at};
}

static void files_with_weights_are_named_once(void **state)
{
    struct error err;
    AUTO(buf_dispose) struct buf model = stub_read(STUBS "birefnet_external.onnx");
    AUTO(external_dispose) struct external external = {.count = 0};
    assert_ok(external_find(buf_bytes(&model), &external, &err), &err);
    assert_int_equal(external.count, 1);
    assert_string_equal(external.names[0], "birefnet_weights.data");
    (void)state;
}

static void a_model_in_one_file_names_none(void **state)
{
    static const char *const models[] = {STUBS "birefnet.onnx", STUBS "sam2_decoder.onnx",
                                         STUBS "birefnet_slow.onnx",
                                         SOURCE_DIR "/models/selfie_segmentation.onnx"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct error err;
        AUTO(buf_dispose) struct buf model = stub_read(models[i]);
        AUTO(external_dispose) struct external external = {.count = 0};
        assert_ok(external_find(buf_bytes(&model), &external, &err), &err);
        assert_int_equal(external.count, 0);
    }
    (void)state;
}

static void weights_elsewhere_are_refused(void **state)
{
    static const char *const places[] = {"../weights", "/etc/passwd", "", ".hidden", "a/b", "a\\b"};
    uint8_t content[256];
    struct error err;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO(external_dispose) struct external external = {.count = 0};
        assert_false(external_find(model_with(places[i], content), &external, &err));
        assert_non_null(strstr(err.text, "not beside itself"));
        assert_int_equal(external.count, 0);
    }
    AUTO(external_dispose) struct external external = {.count = 0};
    assert_ok(external_find(model_with("./weights", content), &external, &err), &err);
    assert_string_equal(external.names[0], "weights");
    (void)state;
}

static void half_a_model_is_none(void **state)
{
    struct error err;
    AUTO(buf_dispose) struct buf model = stub_read(STUBS "birefnet_external.onnx");
    struct bytes whole = buf_bytes(&model);
    for (size_t size = 0; size < whole.size; size++) {
        AUTO(external_dispose) struct external external = {.count = 0};
        /* Cut between two fields it looks like a whole one; otherwise it does not. */
        if (!external_find((struct bytes){whole.data, size}, &external, &err))
            assert_error(&err, ERROR_INVALID, "it is no ONNX model, or not a whole one");
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_with_weights_are_named_once),
        cmocka_unit_test(a_model_in_one_file_names_none),
        cmocka_unit_test(weights_elsewhere_are_refused),
        cmocka_unit_test(half_a_model_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
