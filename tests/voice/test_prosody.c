/* SPDX-License-Identifier: Apache-2.0 */
/* Every number of a request must be heard. One voice of each kind is asked: Japanese and English
 * through HTS Engine, English through flite. */
#include "heard.h"

static const struct subject {
    const char *voice, *text;
} subjects[] = {
    {"ja-haruto", "素晴らしい一年を。"},
    {"en-emma", "Have a wonderful day."},
    {"en-ryan", "Have a wonderful day."},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static void hear(struct voices *voices, const struct voice_request *request, struct heard *out)
{
    struct error err = {0};
    assert_ok(heard_speak(voices, request, out, &err), &err);
    assert_int_equal(out->count, out->planned);
    for (size_t i = 0; i < out->count; i++)
        assert_true(isfinite(out->samples[i]) && fabsf(out->samples[i]) <= 1);
}

static void speed_changes_the_length(void **state)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct voice_request request = heard_request(subjects[i].voice, subjects[i].text);
        AUTO(heard_dispose) struct heard plain = {0}, fast = {0}, slow = {0};
        hear(*state, &request, &plain);
        request.speed = 1.5;
        hear(*state, &request, &fast);
        request.speed = .7;
        hear(*state, &request, &slow);
        double quicker = heard_seconds(&plain) / heard_seconds(&fast);
        double slower = heard_seconds(&plain) / heard_seconds(&slow);
        assert_true(quicker > 1.2 && quicker < 1.6);
        assert_true(slower > .68 && slower < .84);
    }
}

static void pitch_moves_by_half_tones(void **state)
{
    static const double moves[] = {5};
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct voice_request request = heard_request(subjects[i].voice, subjects[i].text);
        AUTO(heard_dispose) struct heard plain = {0};
        hear(*state, &request, &plain);
        for (size_t k = 0; k < 1; k++) {
            AUTO(heard_dispose) struct heard moved = {0};
            request.pitch = moves[k];
            hear(*state, &request, &moved);
            double half_tones =
                12 * log2(heard_pitch(&moved).median_hz / heard_pitch(&plain).median_hz);
            assert_true(fabs(half_tones - moves[k]) < 1.2);
            assert_true(fabs(heard_seconds(&moved) - heard_seconds(&plain)) < .05);
        }
    }
}

static void intonation_widens_and_flattens_the_melody(void **state)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct voice_request request = heard_request(subjects[i].voice, subjects[i].text);
        AUTO(heard_dispose) struct heard plain = {0}, flat = {0}, wide = {0};
        hear(*state, &request, &plain);
        request.intonation = .2;
        hear(*state, &request, &flat);
        request.intonation = 1.8;
        hear(*state, &request, &wide);
        assert_true(heard_pitch(&flat).spread < heard_pitch(&plain).spread * .6);
        assert_true(heard_pitch(&wide).spread > heard_pitch(&plain).spread * 1.25);
    }
}

static void volume_is_a_gain(void **state)
{
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct voice_request request = heard_request(subjects[i].voice, subjects[i].text);
        AUTO(heard_dispose) struct heard plain = {0}, quiet = {0}, silent = {0};
        hear(*state, &request, &plain);
        request.volume = .5;
        hear(*state, &request, &quiet);
        request.volume = 0;
        hear(*state, &request, &silent);
        assert_true(fabs(heard_level(&quiet) / heard_level(&plain) - .5) < .01);
        assert_true(heard_level(&silent) == 0);
    }
}

/* The silence between the first and the last sound. */
static double inner_silence_s(const struct heard *heard)
{
    double sum = 0;
    for (size_t i = 1; i + 1 < heard->spans; i++)
        if (heard->span[i].viseme == VISEME_SILENCE)
            sum += (double)(heard->span[i].end_s - heard->span[i].start_s);
    return sum;
}

static void pause_stretches_only_the_pauses(void **state)
{
    static const struct subject two[] = {
        {"ja-haruto", "はい、そう。では。"},
        {"en-emma", "Well, yes. Bye."},
        {"en-ryan", "Well, yes. Bye."},
    };
    for (size_t i = 0; i < 3; i++) {
        struct voice_request request = heard_request(two[i].voice, two[i].text);
        AUTO(heard_dispose) struct heard plain = {0}, none = {0}, longer = {0};
        hear(*state, &request, &plain);
        request.pause = 0;
        hear(*state, &request, &none);
        request.pause = 3;
        hear(*state, &request, &longer);
        double silence = inner_silence_s(&plain);
        assert_true(silence > .3);
        assert_true(inner_silence_s(&none) < .12);
        assert_true(fabs(inner_silence_s(&longer) / silence - 3) < .2);
        double rest = heard_seconds(&plain) - silence;
        assert_true(fabs(heard_seconds(&longer) - inner_silence_s(&longer) - rest) < .02);
    }
}

/* The highest pitch below the limit (beyond it are formants) in the last 150 ms of sound, or 0. */
static double final_pitch(const struct heard *heard, double limit_hz)
{
    double loud = heard_level(heard), highest = 0;
    size_t hop = (size_t)heard->rate_hz / 200, second = (size_t)heard->rate_hz;
    size_t need = 600 * (second / 8000) + 1,
           end = heard->count - second / 5; /* its tail is silent */
    for (size_t at = end - second * 15 / 100; at + need < heard->count && at < end; at += hop) {
        double hz = heard_pitch_at(heard, at, loud * .15);
        highest = hz < limit_hz ? fmax(highest, hz) : highest;
    }
    return highest;
}

static void a_japanese_question_rises(void **state)
{
    struct voice_request request = heard_request("ja-haruto", "もう食べました？");
    AUTO(heard_dispose) struct heard question = {0}, statement = {0};
    hear(*state, &request, &question);
    request.text = "もう食べました。";
    hear(*state, &request, &statement);
    double usual = heard_pitch(&statement).median_hz;
    assert_true(final_pitch(&question, usual * 2) > usual * 1.2);
}

static void numbers_out_of_range_name_their_field(void **state)
{
    static const struct {
        const char *field;
        size_t at;
        double value;
    } cases[] = {
        {"speed", offsetof(struct voice_request, speed), .4},
        {"pitch", offsetof(struct voice_request, pitch), 13},
        {"intonation", offsetof(struct voice_request, intonation), -.1},
        {"volume", offsetof(struct voice_request, volume), 2.1},
        {"pause", offsetof(struct voice_request, pause), NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct voice_request request = heard_request("ja-hana", "はい");
        memcpy((char *)&request + cases[i].at, &cases[i].value, sizeof(double));
        struct heard heard = {0};
        struct error err = {0};
        assert_false(heard_speak(*state, &request, &heard, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_string_equal(err.field, cases[i].field);
        assert_string_equal(err.code, "number_out_of_range");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speed_changes_the_length),
        cmocka_unit_test(pitch_moves_by_half_tones),
        cmocka_unit_test(intonation_widens_and_flattens_the_melody),
        cmocka_unit_test(volume_is_a_gain),
        cmocka_unit_test(pause_stretches_only_the_pauses),
        cmocka_unit_test(a_japanese_question_rises),
        cmocka_unit_test(numbers_out_of_range_name_their_field),
    };
    return cmocka_run_group_tests(tests, heard_open, heard_close);
}
