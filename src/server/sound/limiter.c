/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/limiter.h"

#include <math.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/mem.h"
#include "media/pcm.h"

enum {
    PHASES = 4,
    TAPS = 12, /* for each phase */
};
static const double pi = 3.14159265358979323846;
static const double ahead_s = .003;
static const double release_s = .08;

/* Windowed sinc, phase by phase; phase 0 is the sample itself. */
static void filter_make(float filter[PHASES][TAPS])
{
    const int middle = TAPS / 2 - 1;
    for (int phase = 0; phase < PHASES; phase++)
        for (int tap = 0; tap < TAPS; tap++) {
            double x = tap - middle - (double)phase / PHASES;
            double sinc = x == 0 ? 1 : sin(pi * x) / (pi * x);
            double window = .5 + .5 * cos(pi * x / (TAPS / 2.));
            filter[phase][tap] = (float)(sinc * window);
        }
}

static double peak_at(const struct pcm *pcm, size_t at, float filter[PHASES][TAPS])
{
    double peak = fabs((double)pcm->samples[at]);
    if (at < TAPS / 2 - 1 || at + TAPS / 2 >= pcm->count)
        return peak;
    const float *from = pcm->samples + at - (TAPS / 2 - 1);
    for (int phase = 1; phase < PHASES; phase++) {
        float sum = 0;
        for (int tap = 0; tap < TAPS; tap++)
            sum += from[tap] * filter[phase][tap];
        peak = fmax(peak, fabs((double)sum));
    }
    return peak;
}

/* The gain that each sample needs by itself: 1 almost everywhere. Oversampling is left out where a
 * sample is far from the ceiling, since between two samples a peak is not twice as high. */
static void gains_need(const struct pcm *pcm, double ceiling, float *gains)
{
    float filter[PHASES][TAPS];
    filter_make(filter);
    for (size_t i = 0; i < pcm->count; i++) {
        double here = fabs((double)pcm->samples[i]);
        if (i + 1 < pcm->count)
            here = fmax(here, fabs((double)pcm->samples[i + 1]));
        double peak = here * 2 < ceiling ? here : peak_at(pcm, i, filter);
        gains[i] = peak > ceiling ? (float)(ceiling / peak) : 1;
    }
}

/* Backwards: falls linearly over `ahead` samples before a peak. Forwards: returns over the
 * release time. Both only ever lower a gain, so the ceiling holds. */
static void gains_smooth(float *gains, size_t count, double ahead, double release)
{
    float step = (float)(1 / ahead), back = (float)(1 / release), now = 1;
    for (size_t i = count; i-- > 0;) {
        now = fminf(gains[i], now + step);
        gains[i] = now;
    }
    now = 1;
    for (size_t i = 0; i < count; i++) {
        now = fminf(gains[i], now + back);
        gains[i] = now;
    }
}

void limiter_apply(struct pcm *pcm, double ceiling)
{
    if (pcm->count == 0)
        return;
    AUTO(mem_free) float *gains = xreallocarray(NULL, pcm->count, sizeof *gains);
    gains_need(pcm, ceiling, gains);
    gains_smooth(gains, pcm->count, ahead_s * pcm->rate_hz, release_s * pcm->rate_hz);
    for (size_t i = 0; i < pcm->count; i++)
        pcm->samples[i] *= gains[i];
}
