/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "sound/loudness.h"
#include "sound/music.h"

enum { RATE_HZ = 48000 };

static void each_piece_is_about_as_loud(void **state)
{
    for (size_t i = 0; i < music_count(); i++) {
        AUTO(pcm_dispose) struct pcm pcm = music_play(music_at(i), RATE_HZ, 8 * RATE_HZ);
        struct loudness loudness;
        struct error err = {0};
        assert_ok(loudness_measure(&pcm, &loudness, &err), &err);
        assert_int_equal(pcm.count, 8 * RATE_HZ);
        assert_true(fabs(loudness.lufs + 20) < 2);
        assert_true(loudness.peak_dbtp < 0);
    }
}

/* Where the loop begins again, no sample jumps further than elsewhere. */
static void a_loop_has_no_seam(void **state)
{
    for (size_t i = 0; i < music_count(); i++) {
        const struct music_info *music = music_at(i);
        size_t loop = (size_t)(music->loop_s * RATE_HZ);
        AUTO(pcm_dispose) struct pcm pcm = music_play(music, RATE_HZ, loop + RATE_HZ);
        double most = 0, at_seam = 0;
        for (size_t k = 1; k < pcm.count; k++) {
            double step = fabs((double)pcm.samples[k] - (double)pcm.samples[k - 1]);
            if (k + 200 > loop && k < loop + 200)
                at_seam = fmax(at_seam, step);
            else
                most = fmax(most, step);
        }
        assert_true(at_seam <= most);
        double first = 0, second = 0, both = 0; /* the second time is the first time again */
        for (size_t k = RATE_HZ / 100; k < RATE_HZ / 2; k++) {
            double x = (double)pcm.samples[k], y = (double)pcm.samples[loop + k];
            first += x * x;
            second += y * y;
            both += x * y;
        }
        assert_true(both / sqrt(first * second) > .98);
    }
}

static void ids_are_found_again(void **state)
{
    for (size_t i = 0; i < music_count(); i++)
        assert_ptr_equal(music_find(music_at(i)->id), music_at(i));
    assert_null(music_find("polka"));
    assert_null(music_find(NULL));
    assert_null(music_at(music_count()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_about_as_loud),
        cmocka_unit_test(a_loop_has_no_seam),
        cmocka_unit_test(ids_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
