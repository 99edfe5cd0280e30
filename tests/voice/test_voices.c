/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "voice/voice.h"

/* What a listener got. */
struct heard {
    int rate_hz;
    size_t planned, count, spans;
    float *samples;
    struct viseme_span span[4096];
};

static bool hear_plan(void *context, const struct viseme_track *track, int rate_hz, size_t samples,
                      struct error *err)
{
    struct heard *heard = context;
    assert_int_equal(heard->rate_hz, 0); /* once, and before the sound */
    assert_int_equal(heard->count, 0);
    assert_true(track->count <= sizeof heard->span / sizeof *heard->span);
    heard->rate_hz = rate_hz;
    heard->planned = samples;
    heard->samples = xcalloc(samples, sizeof *heard->samples);
    heard->spans = track->count;
    memcpy(heard->span, track->spans, track->count * sizeof *track->spans);
    return true;
}

static bool hear_audio(void *context, const float *samples, size_t count, struct error *err)
{
    struct heard *heard = context;
    assert_true(heard->count + count <= heard->planned);
    memcpy(heard->samples + heard->count, samples, count * sizeof *samples);
    heard->count += count;
    return true;
}

static void heard_dispose_auto(struct heard *heard)
{
    free(heard->samples);
}

static struct voice_request request_of(const char *voice, const char *text)
{
    return (struct voice_request){
        .voice_id = voice, .text = text, .speed = 1, .intonation = 1, .volume = 1, .pause = 1};
}

static bool speak(struct voices *voices, const struct voice_request *request, struct heard *heard,
                  struct error *err)
{
    struct voice_sink sink = {.context = heard, .plan = hear_plan, .audio = hear_audio};
    return voices_speak(voices, request, &sink, err);
}

static void a_track_covers_the_sound_without_gaps(void **state)
{
    struct voices *voices = *state;
    for (size_t i = 0; i < voices_count(voices); i++) {
        const struct voice_info *info = voices_at(voices, i);
        bool japanese = strcmp(info->language, "ja") == 0;
        struct voice_request request = request_of(
            info->id, japanese ? "こんにちは。元気ですか？" : "Hello there. How are you today?");
        AUTO(heard_dispose) struct heard heard = {0};
        struct error err = {0};
        assert_ok(speak(voices, &request, &heard, &err), &err);
        assert_int_equal(heard.count, heard.planned);
        assert_true(heard.spans > 10);
        assert_true(heard.span[0].start_s == 0);
        for (size_t k = 1; k < heard.spans; k++) {
            assert_true(heard.span[k].start_s == heard.span[k - 1].end_s);
            assert_true(heard.span[k].end_s > heard.span[k].start_s);
        }
        double end_s = (double)heard.count / heard.rate_hz;
        assert_true(fabs(heard.span[heard.spans - 1].end_s - end_s) < 1e-4);
        assert_true(end_s > 1 && end_s < 5);
        assert_int_equal(heard.span[0].viseme, VISEME_SILENCE);
        assert_int_equal(heard.span[heard.spans - 1].viseme, VISEME_SILENCE);
    }
}

static void the_text_chooses_the_language(void **state)
{
    struct voices *voices = *state;
    assert_string_equal(voices_for_text(voices, "Happy birthday!")->language, "en");
    assert_string_equal(voices_for_text(voices, "おめでとう")->language, "ja");
    assert_string_equal(voices_for_text(voices, "祝 2026!")->language, "ja");
    assert_string_equal(voices_for_text(voices, "")->language, "en");
}

static void an_unknown_voice_is_named(void **state)
{
    struct heard heard = {0};
    struct error err = {0};
    struct voice_request request = request_of("nobody", "hello");
    assert_false(speak(*state, &request, &heard, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_string_equal(err.field, "voice_profile");
    assert_string_equal(err.code, "voice_unknown");
}

static void text_without_anything_to_say_is_refused(void **state)
{
    static const char *const texts[] = {"…", "。。。", "!?", "   ", "\n\n", "、"};
    static const char *const ids[] = {"ja-hana", "en-emma"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t k = 0; k < 2; k++) {
            struct heard heard = {0};
            struct error err = {0};
            struct voice_request request = request_of(ids[k], texts[i]);
            assert_false(speak(*state, &request, &heard, &err));
            assert_int_equal(err.kind, ERROR_INVALID);
            assert_string_equal(err.field, "text");
            assert_string_equal(err.code, "voice_text_unspeakable");
        }
}

static int open_all(void **state)
{
    struct error err = {0};
    *state = voices_open(NULL, &err);
    if (!*state)
        print_error("%s\n", err.text);
    return *state ? 0 : -1;
}

static int close_all(void **state)
{
    voices_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_track_covers_the_sound_without_gaps),
        cmocka_unit_test(the_text_chooses_the_language),
        cmocka_unit_test(an_unknown_voice_is_named),
        cmocka_unit_test(text_without_anything_to_say_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
