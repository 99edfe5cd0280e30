/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/models.h"

#define EMBEDDED SOURCE_DIR "/models"
#define STUBS    SOURCE_DIR "/tests/data/models/"

static int set_up(void **state)
{
    *state = test_dir_new();
    return 0;
}

static int tear_down(void **state)
{
    test_dir_free(*state);
    return 0;
}

static struct models read_all(const char *dir, const char *problem)
{
    struct error err;
    struct models models;
    char said[160];
    assert_ok(models_read(EMBEDDED, dir, &models, said, sizeof said, &err), &err);
    assert_string_equal(said, problem);
    return models;
}

static void add(const char *dir, const char *name, const char *version)
{
    struct error err;
    struct model_source source = {name, version, "birefnet", "MIT", {STUBS "birefnet.onnx"}};
    assert_ok(models_add(dir, &source, NULL, &err), &err);
}

static void the_embedded_model_is_always_there(void **state)
{
    AUTO(models_dispose) struct models models = read_all("/nowhere", "");
    assert_int_equal(models.count, 1);
    assert_string_equal(models.entries[0].name, "portrait");
    assert_true(models.entries[0].embedded);
    struct error err;
    assert_ok(model_verify(&models.entries[0], &err), &err);
    (void)state;
}

static void versions_live_side_by_side(void **state)
{
    const char *dir = *state;
    add(dir, "matting", "9");
    add(dir, "matting", "10");
    AUTO(models_dispose) struct models models = read_all(dir, "");
    assert_int_equal(models.count, 3);
    assert_string_equal(models.entries[models_find(&models, "matting")].version, "10");
    assert_string_equal(models.entries[models_find(&models, "matting@9")].version, "9");
    assert_int_equal(models_find(&models, "matting@11"), -1);
    assert_int_equal(models_find(&models, "mat"), -1);
    for (int i = 0; i < models.count; i++) {
        struct error err;
        assert_ok(model_verify(&models.entries[i], &err), &err);
    }
    char key[MODEL_KEY_SIZE];
    model_key(&models.entries[models_find(&models, "matting@9")], key);
    assert_memory_equal(key, "matting@9:", 10);
    assert_int_equal(strlen(key), 22);
}

static void the_one_in_use_is_remembered(void **state)
{
    const char *dir = *state;
    struct error err;
    add(dir, "matting", "1");
    AUTO(models_dispose) struct models models = read_all(dir, "");
    assert_int_equal(models.used, 0);
    assert_ok(models_use(dir, &models.entries[1], &err), &err);
    AUTO(models_dispose) struct models again = read_all(dir, "");
    assert_int_equal(again.used, 1);
    char path[512];
    snprintf(path, sizeof path, "%s/matting", dir);
    assert_ok(tree_remove(path, &err), &err);
    AUTO(models_dispose)
    struct models gone = read_all(dir, "matting@1 is not installed, using portrait");
    assert_int_equal(gone.used, 0);
}

static void sam2_has_two_files(void **state)
{
    const char *dir = *state;
    struct error err;
    struct model_source source = {
        "sam", "2.1", "sam2", NULL, {STUBS "sam2_encoder.onnx", STUBS "sam2_decoder.onnx"}};
    assert_ok(models_add(dir, &source, NULL, &err), &err);
    AUTO(models_dispose) struct models models = read_all(dir, "");
    assert_non_null(models.entries[1].paths[1]);
    assert_ok(model_verify(&models.entries[1], &err), &err);
    source.files[1] = NULL;
    source.version = "2.2";
    assert_false(models_add(dir, &source, NULL, &err));
    assert_error(&err, ERROR_INVALID, "sam2 needs an encoder and a decoder");
}

static void weights_beside_a_model_come_along(void **state)
{
    const char *dir = *state;
    struct error err;
    char data[512];
    const struct model_source source = {
        "large", "1", "birefnet", NULL, {STUBS "birefnet_external.onnx"}};
    assert_ok(models_add(dir, &source, NULL, &err), &err);
    AUTO(models_dispose) struct models models = read_all(dir, "");
    const struct model_entry *entry = &models.entries[1];
    assert_int_equal(entry->data_count, 1);
    assert_int_equal(model_bytes(entry), entry->bytes[0] + 4);
    assert_ok(model_verify(entry, &err), &err);
    char key[MODEL_KEY_SIZE], other_key[MODEL_KEY_SIZE];
    model_key(entry, key);

    /* The same network with other weights is another model. */
    snprintf(data, sizeof data, "%s/large/1/birefnet_weights.data", dir);
    assert_ok(file_write(data, bytes_of("fore"), &err), &err);
    assert_false(model_verify(entry, &err));
    assert_non_null(strstr(err.text, "birefnet_weights.data has SHA-256"));
    entry->data[0].sha256[0] ^= 1;
    model_key(entry, other_key);
    assert_string_not_equal(key, other_key);

    assert_int_equal(unlink(data), 0);
    AUTO(models_dispose) struct models without = read_all(dir, "");
    assert_string_equal(without.entries[1].problem, "birefnet_weights.data is missing");
}

static void what_cannot_be_added_says_why_and_leaves_nothing(void **state)
{
    const char *dir = *state;
    static const struct {
        struct model_source source;
        const char *says;
    } wrong[] = {
        {{"../up", "1", "birefnet", NULL, {STUBS "birefnet.onnx"}}, "is no name for a model"},
        {{"portrait", "2", "birefnet", NULL, {STUBS "birefnet.onnx"}}, "is no name for a model"},
        {{"a", "1/2", "birefnet", NULL, {STUBS "birefnet.onnx"}}, "is no version"},
        {{"a", "1", "yolo", NULL, {STUBS "birefnet.onnx"}}, "use portrait, birefnet or sam2"},
        {{"a", "1", "birefnet", NULL, {"/nowhere/model.onnx"}}, "open /nowhere/model.onnx"},
        {{"a", "1", "birefnet", NULL, {STUBS "wrong_external.onnx"}},
         "keeps weights beside itself: open " STUBS "weights.bin"},
        {{"a", "1", "birefnet", NULL, {STUBS "make_stubs.py"}}, "it is no ONNX model"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        assert_false(models_add(dir, &wrong[i].source, NULL, &err));
        if (!strstr(err.text, wrong[i].says))
            fail_msg("%s does not say %s", err.text, wrong[i].says);
    }
    AUTO(models_dispose) struct models models = read_all(dir, "");
    assert_int_equal(models.count, 1);
    assert_int_equal(rmdir(dir), 0); /* no folder of the model's name either */
    add(dir, "a", "1");
    struct error err;
    struct model_source twice = {"a", "1", "birefnet", NULL, {STUBS "birefnet.onnx"}};
    assert_false(models_add(dir, &twice, NULL, &err));
    assert_error(&err, ERROR_CONFLICT, "a@1 is installed already");
}

/* Replaces `from` by `to` in a text file. */
static void edit(const char *path, const char *from, const char *to)
{
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(1 << 16);
    assert_ok(file_read(path, &text, &err), &err);
    char *at = strstr((char *)text.data, from);
    assert_non_null(at);
    AUTO(mem_free)
    char *edited = xasprintf("%.*s%s%s", (int)(at - (char *)text.data), (char *)text.data, to,
                             at + strlen(from));
    assert_ok(file_write(path, bytes_of(edited), &err), &err);
}

static void a_damaged_model_is_seen(void **state)
{
    const char *dir = *state;
    struct error err;
    char manifest[512], file[512];
    add(dir, "a", "1");
    snprintf(manifest, sizeof manifest, "%s/a/1/manifest.json", dir);
    snprintf(file, sizeof file, "%s/a/1/model.onnx", dir);

    AUTO(models_dispose) struct models fine = read_all(dir, "");
    char digit[4] = {fine.entries[1].sha256[0][0], fine.entries[1].sha256[0][1], 0};
    char needle[32], other[32];
    snprintf(needle, sizeof needle, "\"sha256\": \"%s", digit);
    snprintf(other, sizeof other, "\"sha256\": \"%s", strcmp(digit, "00") ? "00" : "11");
    edit(manifest, needle, other);
    AUTO(models_dispose) struct models wrong_hash = read_all(dir, "");
    assert_false(model_verify(&wrong_hash.entries[1], &err));
    assert_non_null(strstr(err.text, "where its manifest says"));

    assert_int_equal(truncate(file, 100), 0);
    AUTO(models_dispose) struct models cut = read_all(dir, "");
    assert_string_equal(cut.entries[1].problem, "model.onnx has 100 bytes, not 230");
    assert_false(models_use(dir, &cut.entries[1], &err));

    edit(manifest, "model.onnx", "../../x");
    AUTO(models_dispose) struct models escaping = read_all(dir, "");
    assert_string_equal(escaping.entries[1].problem, "\"../../x\" is no name of a file");

    assert_ok(file_write(manifest, bytes_of("{\"name\": "), &err), &err);
    AUTO(models_dispose) struct models broken = read_all(dir, "");
    assert_int_not_equal(broken.entries[1].problem[0], '\0');

    assert_int_equal(unlink(manifest), 0);
    AUTO(models_dispose) struct models missing = read_all(dir, "");
    assert_true(missing.count == 1 || strstr(missing.entries[1].problem, "manifest.json"));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(the_embedded_model_is_always_there),
        IN_DIR(versions_live_side_by_side),
        IN_DIR(the_one_in_use_is_remembered),
        IN_DIR(weights_beside_a_model_come_along),
        IN_DIR(sam2_has_two_files),
        IN_DIR(what_cannot_be_added_says_why_and_leaves_nothing),
        IN_DIR(a_damaged_model_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
