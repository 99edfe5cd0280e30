/* SPDX-License-Identifier: Apache-2.0 */
#include "video/articulation.h"

#include <math.h>
#include <string.h>

#include "support/test.h"

static struct viseme_track track_of(struct viseme_span *spans, size_t count)
{
    return (struct viseme_track){count, spans};
}

static void assert_still(struct mouth_pose pose)
{
    const float *value = &pose.jaw;
    for (size_t i = 0; i < sizeof pose / sizeof *value; i++)
        assert_true(fabsf(value[i]) < 1e-6f);
}

static void silence_is_the_photos_own_mouth(void **state)
{
    struct viseme_span spans[] = {
        {0, 0.5f, VISEME_A, 1}, {0.5f, 1.0f, VISEME_SILENCE, 1}, {1.0f, 1.5f, VISEME_O, 1}};
    struct viseme_track track = track_of(spans, 3);
    for (double at = 0.58; at < 0.92; at += 0.01)
        assert_still(articulation_at(&track, at));
    assert_still(articulation_at(&track, -0.3));
    assert_still(articulation_at(&track, 1.7));
    assert_still(articulation_at(&track, 100));
}

static void an_empty_track_is_silence(void **state)
{
    struct viseme_track track = {0};
    assert_still(articulation_at(&track, 1));
}

static void each_sound_reaches_its_own_shape(void **state)
{
    struct mouth_pose pose[VISEME_COUNT];
    for (int i = 0; i < VISEME_COUNT; i++) {
        struct viseme_span span = {0, 0.6f, (enum viseme)i, 1};
        struct viseme_track track = track_of(&span, 1);
        pose[i] = articulation_at(&track, 0.3);
    }
    for (int i = 0; i < VISEME_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_true(memcmp(&pose[i], &pose[j], sizeof pose[i]) != 0);
    assert_true(mouth_pose_gap(&pose[VISEME_A]) > mouth_pose_gap(&pose[VISEME_E]));
    assert_true(mouth_pose_gap(&pose[VISEME_E]) > mouth_pose_gap(&pose[VISEME_I]));
    assert_true(pose[VISEME_I].wide > 0 && pose[VISEME_W].wide < 0);
    assert_true(pose[VISEME_L].tongue > 0.9f && pose[VISEME_TH].tip > 0.9f);
    assert_true(pose[VISEME_FV].tuck > 0.9f && pose[VISEME_S].teeth > 0.9f);
}

static void a_short_m_between_vowels_closes_in_some_frame(void **state)
{
    for (int phase = 0; phase < 40; phase++) {
        float start = 0.3f + 0.001f * (float)phase;
        struct viseme_span spans[] = {{0, start, VISEME_A, 1},
                                      {start, start + 0.03f, VISEME_MBP, 1},
                                      {start + 0.03f, 0.8f, VISEME_A, 1}};
        struct viseme_track track = track_of(spans, 3);
        float narrowest = 100;
        for (int frame = 0; frame < 20; frame++) {
            struct mouth_pose pose = articulation_at(&track, (frame + 0.5) / 25);
            narrowest = fminf(narrowest, mouth_pose_gap(&pose));
        }
        assert_true(narrowest < 0.05f);
    }
}

static void h_takes_the_shape_of_what_follows(void **state)
{
    struct viseme_span spans[] = {{0, 0.08f, VISEME_H, 1}, {0.08f, 0.4f, VISEME_A, 1}};
    struct viseme_track track = track_of(spans, 2);
    struct mouth_pose pose = articulation_at(&track, 0.06);
    assert_true(pose.jaw > 3);
}

static void a_devoiced_vowel_is_smaller(void **state)
{
    struct viseme_span loud = {0, 0.5f, VISEME_I, 1}, soft = {0, 0.5f, VISEME_I, 0.3f};
    struct viseme_track a = track_of(&loud, 1), b = track_of(&soft, 1);
    struct mouth_pose strong = articulation_at(&a, 0.25), weak = articulation_at(&b, 0.25);
    assert_true(mouth_pose_gap(&weak) < 0.5f * mouth_pose_gap(&strong));
}

static void nothing_jumps(void **state)
{
    static const enum viseme spoken[] = {VISEME_SILENCE, VISEME_K, VISEME_O,      VISEME_MBP,
                                         VISEME_A,       VISEME_S, VISEME_FV,     VISEME_I,
                                         VISEME_W,       VISEME_A, VISEME_SILENCE};
    struct viseme_span spans[11];
    for (int i = 0; i < 11; i++)
        spans[i] = (struct viseme_span){0.09f * (float)i, 0.09f * (float)(i + 1), spoken[i], 1};
    struct viseme_track track = track_of(spans, 11);
    struct mouth_pose last = articulation_at(&track, -0.5);
    for (double at = -0.5; at < 1.5; at += 0.001) {
        struct mouth_pose pose = articulation_at(&track, at);
        assert_true(fabsf(mouth_pose_gap(&pose) - mouth_pose_gap(&last)) < 0.35f);
        assert_true(fabsf(pose.wide - last.wide) < 0.25f);
        last = pose;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_the_photos_own_mouth),
        cmocka_unit_test(an_empty_track_is_silence),
        cmocka_unit_test(each_sound_reaches_its_own_shape),
        cmocka_unit_test(a_short_m_between_vowels_closes_in_some_frame),
        cmocka_unit_test(h_takes_the_shape_of_what_follows),
        cmocka_unit_test(a_devoiced_vowel_is_smaller),
        cmocka_unit_test(nothing_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
