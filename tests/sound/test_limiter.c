/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>

#include "base/mem.h"
#include "media/pcm.h"
#include "sound/limiter.h"

enum { RATE_HZ = 48000, COUNT = 4 * RATE_HZ };

/* A constant level, so that what comes out is the gain, with a peak of one sample every so often:
 * at every place of whatever pieces the limiter takes the sound in. */
static struct pcm level_with_peaks(int every)
{
    struct pcm pcm = {.rate_hz = RATE_HZ, .count = COUNT};
    pcm.samples = xcalloc(COUNT, sizeof *pcm.samples);
    for (int i = 0; i < COUNT; i++)
        pcm.samples[i] = i % every == every - 1 ? 1.6f : .1f;
    return pcm;
}

static void no_peak_passes_and_no_gain_jumps(void **state)
{
    static const int everies[] = {65536, 65537, 65500, 19997, 48000};
    for (size_t k = 0; k < sizeof everies / sizeof *everies; k++) {
        AUTO(pcm_dispose) struct pcm in = level_with_peaks(everies[k]);
        AUTO(pcm_dispose) struct pcm out = level_with_peaks(everies[k]);
        limiter_apply(&out, .8);
        float before = 1;
        for (size_t i = 0; i < out.count; i++) {
            float gain = out.samples[i] / in.samples[i];
            assert_true(fabsf(out.samples[i]) <= .8001f);
            assert_true(fabsf(gain - before) < .01f); /* 3 ms down, 80 ms up */
            before = gain;
        }
        assert_true(out.samples[everies[k] - 1] > .5f);
        assert_float_equal(out.samples[everies[k] / 2], .1f, 1e-5);
    }
}

static void what_is_low_enough_stays_as_it_is(void **state)
{
    AUTO(pcm_dispose) struct pcm in = level_with_peaks(7000);
    AUTO(pcm_dispose) struct pcm out = level_with_peaks(7000);
    limiter_apply(&out, 4);
    assert_memory_equal(in.samples, out.samples, COUNT * sizeof *in.samples);
    struct pcm nothing = {.rate_hz = RATE_HZ};
    limiter_apply(&nothing, .5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_peak_passes_and_no_gain_jumps),
        cmocka_unit_test(what_is_low_enough_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
