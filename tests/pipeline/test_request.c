/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pipeline/pipeline.h"
#include "pipeline/request_internal.h"
#include "voice/voice.h"

static struct voices *voices;
static struct pipeline *pipeline;

static int open_all(void **state)
{
    struct error err;
    voices = voices_open(NULL, &err);
    pipeline = pipeline_open(&(struct pipeline_options){.voices = voices,
                                                        .assets_dir = SOURCE_DIR "/assets",
                                                        .threads = 1},
                             &err);
    return voices && pipeline ? 0 : -1;
}

static int close_all(void **state)
{
    pipeline_close(pipeline);
    voices_close(voices);
    return 0;
}

static struct message_request fine(void)
{
    struct message_request request = message_request_defaults();
    request.text = "Hello!";
    return request;
}

static void assert_refused(const struct message_request *request, const char *field,
                           const char *code)
{
    struct error err = {.kind = ERROR_INTERNAL};
    if (message_check(pipeline, request, &err))
        fail_msg("%s was not refused", code);
    assert_string_equal(err.field, field);
    assert_string_equal(err.code, code);
}

static void a_plain_request_is_fine(void **state)
{
    struct error err;
    struct message_request request = fine();
    assert_ok(message_check(pipeline, &request, &err), &err);
    char longest[1001 * 3 + 1] = "";
    for (int i = 0; i < 1000; i++)
        strcat(longest, "あ");
    request.text = longest;
    assert_ok(message_check(pipeline, &request, &err), &err);
    strcat(longest, "あ");
    assert_refused(&request, "text", "text_too_long");
}

static void texts_are_held_to_the_rules(void **state)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {NULL, "text_empty"},
        {"", "text_empty"},
        {" \t\n\xe3\x80\x80", "text_empty"},
        {"\xff\xfe", "text_not_utf8"},
        {"a\x01"
         "b",
         "text_control_characters"},
        {"a\xc2\x85"
         "b",
         "text_control_characters"},
        {"🎉🎂", "text_unspeakable"},
        {"…!?", "text_unspeakable"},
        {"。、！", "text_unspeakable"},
    };
    struct message_request request = fine();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        request.text = cases[i].text;
        assert_refused(&request, "text", cases[i].code);
    }
    static const char *const speakable[] = {"7", "ア", "々", "ｶﾅ", "Ａ", "né 🎉", "line\nline"};
    struct error err;
    for (size_t i = 0; i < sizeof speakable / sizeof *speakable; i++) {
        request.text = speakable[i];
        assert_ok(message_check(pipeline, &request, &err), &err);
    }
}

static void every_field_is_checked(void **state)
{
    struct message_request request = fine();
    request.voice_profile = "nobody";
    assert_refused(&request, "voice_profile", "voice_unknown");
    request = fine();
    request.format = "4:3";
    assert_refused(&request, "format", "format_unknown");
    request = fine();
    request.bgm = "../../etc";
    assert_refused(&request, "bgm", "bgm_unknown");
    request = fine();
    request.speed = NAN;
    assert_refused(&request, "speed", "number_out_of_range");
    request = fine();
    request.pitch = 12.5;
    assert_refused(&request, "pitch", "number_out_of_range");
    request = fine();
    request.pause = -1;
    assert_refused(&request, "pause", "number_out_of_range");
}

static void backgrounds_are_known_or_refused(void **state)
{
    static const char *const known[] = {
        NULL, "", "keep", "blur", "color:#00FFaa", "preset:birthday"};
    static const char *const unknown[] = {
        "upload",  "color:red",      "color:#12345",   "color:#1234567",    "color:#+1-2+3",
        "preset:", "preset:../baby", "preset:nowhere", "preset:baby_thumb", "/etc/passwd",
        "KEEP",
    };
    struct message_request request = fine();
    struct error err;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        request.background = known[i];
        assert_ok(message_check(pipeline, &request, &err), &err);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        request.background = unknown[i];
        assert_refused(&request, "background", "background_unknown");
    }
}

static void assert_same_hash(struct hash128 a, struct hash128 b, bool same)
{
    assert_int_equal(hash128_equal(a, b), same);
}

static void an_order_survives_the_queue(void **state)
{
    struct message_request request = fine();
    request.background = "color:#0180ff";
    request.speed = 1.1;
    request.motion = false;
    AUTO(order_dispose) struct order order = {0}, again = {0};
    struct error err;
    assert_ok(order_make(pipeline, &request, &order, &err), &err);
    order.image = hash128_of(bytes_of("photo"));
    AUTO(mem_free) char *json = order_write(&order);
    assert_ok(order_read(json, &again, &err), &err);
    AUTO(mem_free) char *json_again = order_write(&again);
    assert_string_equal(json, json_again);
    assert_same_hash(order_video_hash(&order), order_video_hash(&again), true);

    static const char *const broken[] = {"", "{}", "[]", "{\"text\":\"x\",\"format\":\"9:16\"}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(order_read(broken[i], &(struct order){0}, &err));
}

/* What changes the result changes its name; what does not leaves it. */
static void names_follow_what_matters(void **state)
{
    struct message_request request = fine();
    AUTO(order_dispose) struct order order = {0};
    struct error err;
    assert_ok(order_make(pipeline, &request, &order, &err), &err);
    struct hash128 speech = order_speech_hash(&order);
    struct hash128 video = order_video_hash(&order);
    order.pitch = 1;
    assert_same_hash(speech, order_speech_hash(&order), false);
    order.pitch = 0;
    order.motion = false;
    assert_same_hash(speech, order_speech_hash(&order), true);
    assert_same_hash(video, order_video_hash(&order), false);
    order.motion = true;
    order.image.bytes[0] ^= 1;
    assert_same_hash(video, order_video_hash(&order), false);
    order.image.bytes[0] ^= 1;
    assert_same_hash(video, order_video_hash(&order), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_fine),
        cmocka_unit_test(texts_are_held_to_the_rules),
        cmocka_unit_test(every_field_is_checked),
        cmocka_unit_test(backgrounds_are_known_or_refused),
        cmocka_unit_test(an_order_survives_the_queue),
        cmocka_unit_test(names_follow_what_matters),
    };
    log_set(LOG_OFF, LOG_JSON, 2);
    return cmocka_run_group_tests(tests, open_all, close_all);
}
