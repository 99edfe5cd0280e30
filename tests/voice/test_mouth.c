/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/auto.h"
#include "voice/mouth.h"
#include "voice/speech.h"

static void lips_close_for_m_b_and_p(void **state)
{
    static const char *const ja[] = {"m", "b", "p", "my", "by", "py"};
    static const char *const en[] = {"m", "b", "p"};
    for (size_t i = 0; i < sizeof ja / sizeof *ja; i++)
        assert_int_equal(mouth_ja(ja[i], "a").first, VISEME_MBP);
    for (size_t i = 0; i < sizeof en / sizeof *en; i++)
        assert_int_equal(mouth_en(en[i], true).first, VISEME_MBP);
    assert_int_equal(mouth_ja("N", "p").first, VISEME_MBP);  /* さんぽ */
    assert_int_equal(mouth_ja("cl", "p").first, VISEME_MBP); /* かっぱ */
    assert_int_equal(mouth_ja("N", "k").first, VISEME_K);
}

static void devoiced_vowels_hardly_open(void **state)
{
    assert_true(mouth_ja("u", "m").strength == 1);
    assert_true(mouth_ja("U", "pau").strength < .35f);
    assert_int_equal(mouth_ja("U", "pau").first, VISEME_U);
}

static void stress_opens_english_vowels(void **state)
{
    assert_true(mouth_en("aa", true).strength > mouth_en("aa", false).strength);
    assert_true(mouth_en("s", true).strength == mouth_en("s", false).strength);
}

static void diphthongs_have_two_shapes(void **state)
{
    struct mouth mouth = mouth_en("ay", true);
    assert_int_equal(mouth.first, VISEME_A);
    assert_int_equal(mouth.second, VISEME_I);
    assert_true(mouth.turn > .3f && mouth.turn < .9f);
}

static void pauses_are_silent(void **state)
{
    static const char *const pauses[] = {"sil", "pau", "h#"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(mouth_is_pause(pauses[i]));
        assert_int_equal(mouth_ja(pauses[i], "").first, VISEME_SILENCE);
        assert_int_equal(mouth_en(pauses[i], false).first, VISEME_SILENCE);
    }
    assert_false(mouth_is_pause("a"));
}

static void equal_neighbours_are_one_span(void **state)
{
    AUTO(speech_dispose) struct speech speech = {.rate_hz = 1000};
    struct viseme_span a = {.viseme = VISEME_A, .strength = 1};
    struct viseme_span closed = {.viseme = VISEME_SILENCE, .strength = 1};
    speech_add(&speech, closed, 100);
    speech_add(&speech, a, 50);
    speech_add(&speech, a, 50);
    speech_add(&speech, a, 0);
    speech_add(&speech, closed, 25);
    assert_int_equal(speech.track.count, 3);
    assert_int_equal(speech.samples, 225);
    assert_true(speech.track.spans[1].start_s == .1f && speech.track.spans[1].end_s == .2f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lips_close_for_m_b_and_p),
        cmocka_unit_test(devoiced_vowels_hardly_open),
        cmocka_unit_test(stress_opens_english_vowels),
        cmocka_unit_test(diphthongs_have_two_shapes),
        cmocka_unit_test(pauses_are_silent),
        cmocka_unit_test(equal_neighbours_are_one_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
