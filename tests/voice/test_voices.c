/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <pthread.h>

#include "base/text.h"
#include "heard.h"

static void a_track_covers_the_sound_without_gaps(void **state)
{
    struct voices *voices = *state;
    for (size_t i = 0; i < voices_count(voices); i++) {
        const struct voice_info *info = voices_at(voices, i);
        bool japanese = strcmp(info->language, "ja") == 0;
        struct voice_request request =
            heard_request(info->id, japanese ? "はい。元気ですか？" : "Hello. How are you?");
        AUTO(heard_dispose) struct heard heard = {0};
        struct error err = {0};
        assert_ok(heard_speak(voices, &request, &heard, &err), &err);
        assert_int_equal(heard.count, heard.planned);
        assert_true(heard.spans > 10);
        assert_true(heard.span[0].start_s == 0);
        for (size_t k = 1; k < heard.spans; k++) {
            assert_true(heard.span[k].start_s == heard.span[k - 1].end_s);
            assert_true(heard.span[k].end_s > heard.span[k].start_s);
        }
        double end_s = (double)heard.count / heard.rate_hz;
        assert_true(fabs(heard.span[heard.spans - 1].end_s - end_s) < 1e-4);
        assert_true(end_s > .8 && end_s < 5);
        assert_int_equal(heard.span[0].viseme, VISEME_SILENCE);
        assert_int_equal(heard.span[heard.spans - 1].viseme, VISEME_SILENCE);
    }
}

static bool open_mouth(enum viseme viseme)
{
    return viseme >= VISEME_A && viseme <= VISEME_O;
}

/* How loud it is while the mouth is open, against the rest, if the track were `shift_s` later. */
static double agreement(const struct heard *heard, double shift_s)
{
    double open = 0, other = 0, open_s = 1e-9, other_s = 1e-9;
    for (size_t i = 0; i < heard->spans; i++) {
        const struct viseme_span *span = &heard->span[i];
        double from = ((double)span->start_s + shift_s) * heard->rate_hz;
        double to = ((double)span->end_s + shift_s) * heard->rate_hz;
        for (size_t k = from > 0 ? (size_t)from : 0; k < to && k < heard->count; k++) {
            double level = fabs((double)heard->samples[k]);
            *(open_mouth(span->viseme) ? &open : &other) += level;
            *(open_mouth(span->viseme) ? &open_s : &other_s) += 1;
        }
    }
    return open / open_s - other / other_s;
}

static void the_mouth_opens_when_there_is_sound(void **state)
{
    struct voices *voices = *state;
    for (size_t i = 0; i < voices_count(voices); i += 2) {
        const struct voice_info *info = voices_at(voices, i);
        bool japanese = strcmp(info->language, "ja") == 0;
        struct voice_request request = heard_request(
            info->id, japanese ? "ぱぱ、ばたばた。かかし。" : "Pop a cup. Tip top, Bob.");
        AUTO(heard_dispose) struct heard heard = {0};
        struct error err = {0};
        assert_ok(heard_speak(voices, &request, &heard, &err), &err);
        double best = -1, best_s = 0;
        for (double shift_s = -.15; shift_s <= .15; shift_s += .01)
            if (agreement(&heard, shift_s) > best) {
                best = agreement(&heard, shift_s);
                best_s = shift_s;
            }
        assert_true(agreement(&heard, 0) > 0);
        assert_true(fabs(best_s) < .031); /* within a frame of video */
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
    struct voice_request request = heard_request("nobody", "hello");
    assert_false(heard_speak(*state, &request, &heard, &err));
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
            struct voice_request request = heard_request(ids[k], texts[i]);
            assert_false(heard_speak(*state, &request, &heard, &err));
            assert_int_equal(err.kind, ERROR_INVALID);
            assert_string_equal(err.field, "text");
            assert_string_equal(err.code, "voice_text_unspeakable");
        }
}

static void each_language_has_four_voices_that_differ(void **state)
{
    static const char *const languages[] = {"ja", "en"};
    static const char *const texts[] = {"素晴らしい一年を。", "Have a wonderful day."};
    for (size_t l = 0; l < 2; l++) {
        double pitch[16];
        size_t count = 0;
        for (size_t i = 0; i < voices_count(*state); i++) {
            const struct voice_info *info = voices_at(*state, i);
            if (strcmp(info->language, languages[l]) != 0)
                continue;
            struct voice_request request = heard_request(info->id, texts[l]);
            AUTO(heard_dispose) struct heard heard = {0};
            struct error err = {0};
            assert_ok(heard_speak(*state, &request, &heard, &err), &err);
            pitch[count++] = heard_pitch(&heard).median_hz;
            assert_true(*info->name_ja && *info->name_en);
            assert_true(*info->description_ja && *info->description_en);
        }
        assert_true(count >= 4);
        qsort(pitch, count, sizeof *pitch, heard_compare);
        double range = 12 * log2(pitch[count - 1] / pitch[0]);
        assert_true(range > 12); /* from a man's voice to a child's */
    }
}

static void the_same_text_sounds_the_same(void **state)
{
    static const char *const ids[] = {"ja-misaki", "en-lily", "en-ryan"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct voice_request request = heard_request(ids[i], i ? "So it is." : "そうです。");
        AUTO(heard_dispose) struct heard heard = {0}, again = {0};
        struct error err = {0};
        assert_ok(heard_speak(*state, &request, &heard, &err), &err);
        assert_ok(heard_speak(*state, &request, &again, &err), &err);
        assert_int_equal(heard.count, again.count);
        assert_memory_equal(heard.samples, again.samples, heard.count * sizeof *heard.samples);
    }
}

static bool refuse_plan(void *context, const struct viseme_track *track, int rate_hz,
                        size_t samples, struct error *err)
{
    return error_set(err, ERROR_CANCELLED, "no longer wanted");
}

static void hostile_text_is_said_or_refused(void **state)
{
    static const char *const units[] = {"あ", "漢", "a",  "9",  "ー", "っ",    "「", "w",
                                        "ﾞ",  "𠮷", "々", "x1", "、", "‎ע", "ん", "\t"};
    static const char *const ids[] = {"ja-haruto", "en-emma"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (size_t k = 0; k < 2; k++) {
            char text[3000] = "";
            for (int n = 0; n < 500; n++)
                strcat(text, units[i]);
            struct voice_request request = heard_request(ids[k], text);
            struct voice_sink sink = {.plan = refuse_plan}; /* a plan is all that is asked for */
            struct error err = {0};
            assert_false(voices_speak(*state, &request, &sink, &err));
            if (err.kind == ERROR_CANCELLED)
                continue;
            assert_int_equal(err.kind, ERROR_INVALID);
            assert_string_equal(err.field, "text");
            assert_string_equal(err.code, "voice_text_unspeakable");
        }
}

static void text_that_is_no_text_is_refused(void **state)
{
    char long_text[1100];
    memset(long_text, 'a', 1001);
    long_text[1001] = '\0';
    const struct {
        const char *text, *code;
    } cases[] = {{"a\xff", "text_not_utf8"}, {long_text, "text_too_long"}};
    for (size_t i = 0; i < 2; i++) {
        struct voice_request request = heard_request("ja-hana", cases[i].text);
        struct heard heard = {0};
        struct error err = {0};
        assert_false(heard_speak(*state, &request, &heard, &err));
        assert_string_equal(err.field, "text");
        assert_string_equal(err.code, cases[i].code);
    }
}

static bool take_some(void *context, const float *samples, size_t count, struct error *err)
{
    size_t *taken = context;
    *taken += count;
    return error_set(err, ERROR_CANCELLED, "heard enough");
}

static bool accept_plan(void *context, const struct viseme_track *track, int rate_hz,
                        size_t samples, struct error *err)
{
    return true;
}

static bool measure_plan(void *context, const struct viseme_track *track, int rate_hz,
                         size_t samples, struct error *err)
{
    *(double *)context = (double)samples / rate_hz;
    return error_set(err, ERROR_CANCELLED, "that was all");
}

static void long_text_without_a_pause_keeps_its_pace(void **state)
{
    static const char sentence[] = "今年もあなたにとって素晴らしい一年になりますように";
    char text[20 * sizeof sentence] = "";
    for (int i = 0; i < 20; i++) /* 500 characters */
        strcat(text, sentence);
    double seconds = 0;
    struct voice_request request = heard_request("ja-haruto", text);
    struct voice_sink sink = {.context = &seconds, .plan = measure_plan};
    struct error err = {0};
    assert_false(voices_speak(*state, &request, &sink, &err));
    assert_int_equal(err.kind, ERROR_CANCELLED);
    assert_true(seconds > 50 && seconds < 100);
}

static void a_listener_may_leave(void **state)
{
    static const char *const ids[] = {"ja-hana", "en-emma", "en-ryan"};
    for (size_t i = 0; i < 3; i++) {
        const char *text = i == 0 ? "こんにちは。さようなら。" : "Hello there. Goodbye.";
        struct voice_request request = heard_request(ids[i], text);
        struct error err = {0};
        size_t taken = 0;
        struct voice_sink sink = {.context = &taken, .plan = refuse_plan, .audio = take_some};
        assert_false(voices_speak(*state, &request, &sink, &err));
        assert_int_equal(err.kind, ERROR_CANCELLED);
        assert_int_equal(taken, 0);
        sink.plan = accept_plan;
        assert_false(voices_speak(*state, &request, &sink, &err));
        assert_int_equal(err.kind, ERROR_CANCELLED);
        assert_true(taken > 0 && taken < 48000);
    }
}

struct speaker {
    pthread_t thread;
    struct voices *voices;
    struct voice_request request;
    struct heard *heard;
    struct error err;
    bool ok;
};

static void *speaker_run(void *context)
{
    struct speaker *speaker = context;
    speaker->ok = heard_speak(speaker->voices, &speaker->request, speaker->heard, &speaker->err);
    return NULL;
}

static void voices_speak_at_once_as_they_do_alone(void **state)
{
    static const char *const ids[] = {"ja-hana", "en-emma", "en-ryan",
                                      "ja-sora", "en-alan", "en-ryan"};
    enum { SPEAKERS = sizeof ids / sizeof *ids };
    struct speaker speakers[SPEAKERS];
    for (size_t i = 0; i < SPEAKERS; i++) {
        const char *text = text_starts(ids[i], "ja") ? "Happyな一年を。" : "Have a happy day.";
        speakers[i] = (struct speaker){
            .voices = *state,
            .request = heard_request(ids[i], text),
            .heard = xcalloc(1, sizeof(struct heard)),
        };
        assert_int_equal(pthread_create(&speakers[i].thread, NULL, speaker_run, &speakers[i]), 0);
    }
    for (size_t i = 0; i < SPEAKERS; i++)
        pthread_join(speakers[i].thread, NULL);
    for (size_t i = 0; i < SPEAKERS; i++) {
        struct heard *together = speakers[i].heard;
        AUTO(heard_dispose) struct heard alone = {0};
        struct error err = {0};
        assert_ok(speakers[i].ok, &speakers[i].err);
        assert_ok(heard_speak(*state, &speakers[i].request, &alone, &err), &err);
        assert_int_equal(alone.count, together->count);
        if (strcmp(ids[i], "en-ryan") == 0 || strcmp(ids[i], "en-alan") == 0) /* random breath */
            assert_true(fabs(heard_level(&alone) / heard_level(together) - 1) < .02);
        else
            assert_memory_equal(alone.samples, together->samples, alone.count * sizeof(float));
        heard_dispose_auto(together);
        free(together);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_track_covers_the_sound_without_gaps),
        cmocka_unit_test(the_mouth_opens_when_there_is_sound),
        cmocka_unit_test(the_text_chooses_the_language),
        cmocka_unit_test(an_unknown_voice_is_named),
        cmocka_unit_test(text_without_anything_to_say_is_refused),
        cmocka_unit_test(text_that_is_no_text_is_refused),
        cmocka_unit_test(hostile_text_is_said_or_refused),
        cmocka_unit_test(each_language_has_four_voices_that_differ),
        cmocka_unit_test(the_same_text_sounds_the_same),
        cmocka_unit_test(long_text_without_a_pause_keeps_its_pace),
        cmocka_unit_test(a_listener_may_leave),
        cmocka_unit_test(voices_speak_at_once_as_they_do_alone),
    };
    return cmocka_run_group_tests(tests, heard_open, heard_close);
}
