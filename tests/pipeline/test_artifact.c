/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pipeline/artifact_internal.h"
#include "store/store.h"

static const struct hash128 name = {{1, 2, 3}};

static struct picture filled(int width, int height, int channels, uint8_t value)
{
    struct picture picture = picture_new(width, height, channels);
    for (int y = 0; y < height; y++)
        memset(picture_row(&picture, y), value + y, (size_t)(width * channels));
    return picture;
}

static void assert_same(const struct picture *a, const struct picture *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    for (int y = 0; y < a->height; y++)
        assert_memory_equal(picture_row(a, y), picture_row(b, y), (size_t)(a->width * a->channels));
}

static struct speech_result some_speech(void)
{
    struct speech_result speech = {.pcm = {.rate_hz = 48000, .count = 1000}, .track = {.count = 2}};
    speech.pcm.samples = xcalloc(1000, sizeof(float));
    speech.pcm.samples[999] = .5F;
    speech.track.spans = xcalloc(2, sizeof *speech.track.spans);
    speech.track.spans[1] =
        (struct viseme_span){.start_s = .1F, .end_s = .2F, .viseme = VISEME_O, .strength = 1};
    return speech;
}

static void what_was_kept_comes_back(void **state)
{
    AUTO(store_free) struct store *store = store_memory_new();
    AUTO(photo_dispose)
    struct photo photo = {.picture = filled(13, 7, PICTURE_RGB, 5), .face_count = 2};
    photo.faces[1].points[477].z = 3;
    AUTO(photo_dispose) struct photo photo_again = {0};
    assert_false(artifact_get_photo(store, name, &photo_again));
    artifact_put_photo(store, name, &photo);
    assert_true(artifact_get_photo(store, name, &photo_again));
    assert_same(&photo.picture, &photo_again.picture);
    assert_int_equal(photo_again.face_count, 2);
    assert_true(photo_again.faces[1].points[477].z > 2);

    /* The same name with another kind is not found. */
    AUTO(speech_result_dispose) struct speech_result speech_again = {0};
    assert_false(artifact_get_speech(store, name, &speech_again));
    AUTO(speech_result_dispose) struct speech_result speech = some_speech();
    artifact_put_speech(store, name, &speech);
    assert_true(artifact_get_speech(store, name, &speech_again));
    assert_int_equal(speech_again.pcm.count, 1000);
    assert_true(speech_again.pcm.samples[999] > .4F);
    assert_int_equal(speech_again.track.spans[1].viseme, VISEME_O);
}

static void a_portrait_without_a_matte_stays_so(void **state)
{
    AUTO(store_free) struct store *store = store_memory_new();
    AUTO(portrait_dispose) struct portrait portrait = {.photo = filled(16, 16, PICTURE_RGB, 9)};
    AUTO(portrait_dispose) struct portrait again = {0};
    artifact_put_portrait(store, name, &portrait);
    assert_true(artifact_get_portrait(store, name, &again));
    assert_same(&portrait.photo, &again.photo);
    assert_null(again.matte.pixels);
    assert_null(again.foreground.pixels);
}

static void a_damaged_artifact_is_not_used(void **state)
{
    AUTO(speech_result_dispose) struct speech_result speech = some_speech();
    struct store_key key = store_key_hash(STORE_INTERMEDIATE, name, "");
    struct error err;
    for (size_t cut = 0; cut < 4; cut++) {
        AUTO(store_free) struct store *store = store_memory_new();
        artifact_put_speech(store, name, &speech);
        AUTO(buf_dispose) struct buf bytes = BUF(1 << 20);
        assert_ok(store_get(store, &key, &bytes, &err), &err);
        size_t size = cut == 0 ? 0 : cut == 1 ? 20 : cut == 2 ? bytes.size - 1 : bytes.size;
        if (cut == 3)
            bytes.data[bytes.size / 2] ^= 1;
        assert_ok(store_put(store, &key, (struct bytes){bytes.data, size}, &err), &err);
        AUTO(speech_result_dispose) struct speech_result again = {0};
        assert_false(artifact_get_speech(store, name, &again));
        assert_false(store_has(store, &key)); /* made anew, not met again */
    }
}

static void without_a_store_nothing_is_kept(void **state)
{
    AUTO(speech_result_dispose) struct speech_result speech = some_speech();
    AUTO(speech_result_dispose) struct speech_result again = {0};
    artifact_put_speech(NULL, name, &speech);
    assert_false(artifact_get_speech(NULL, name, &again));

    struct store *memory = store_memory_new();
    AUTO(store_free) struct store *faulty = store_faulty_new(&memory, 0);
    artifact_put_speech(faulty, name, &speech);
    assert_false(artifact_get_speech(faulty, name, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_comes_back),
        cmocka_unit_test(a_portrait_without_a_matte_stays_so),
        cmocka_unit_test(a_damaged_artifact_is_not_used),
        cmocka_unit_test(without_a_store_nothing_is_kept),
    };
    log_set(LOG_OFF, LOG_JSON, 2);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
