/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/limiter.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "media/pcm.h"

enum {
    PHASES = 4,
    TAPS = 12,     /* for each phase */
    BLOCK = 65536, /* samples dealt with at once */
};
static const double pi = 3.14159265358979323846;
static const double ahead_s = .003;
static const double release_s = .08;

/* The gains of a part of the sound. */
struct stretch {
    size_t start, count; /* of samples */
    float *gains;
};

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
static void gains_need(const struct pcm *pcm, double ceiling, float filter[PHASES][TAPS],
                       struct stretch *stretch, size_t end)
{
    for (size_t i = stretch->start + stretch->count; i < end; i++) {
        double here = fabs((double)pcm->samples[i]);
        if (i + 1 < pcm->count)
            here = fmax(here, fabs((double)pcm->samples[i + 1]));
        double peak = here * 2 < ceiling ? here : peak_at(pcm, i, filter);
        stretch->gains[stretch->count++] = peak > ceiling ? (float)(ceiling / peak) : 1;
    }
}

/* Falls linearly over `ahead` samples before a peak. This only ever lowers a gain, so it does no
 * harm that it is done again when more is known. */
static void gains_fall(struct stretch *stretch, double ahead)
{
    float step = (float)(1 / ahead), now = 1;
    for (size_t i = stretch->count; i-- > 0;) {
        now = fminf(stretch->gains[i], now + step);
        stretch->gains[i] = now;
    }
}

/* Returns over the release time; `now` is the gain before the stretch. */
static float apply(struct pcm *pcm, const struct stretch *stretch, size_t count, double release,
                   float now)
{
    float back = (float)(1 / release);
    for (size_t i = 0; i < count; i++) {
        now = fminf(stretch->gains[i], now + back);
        pcm->samples[stretch->start + i] *= now;
    }
    return now;
}

static void drop_first(struct stretch *stretch, size_t count)
{
    stretch->start += count;
    stretch->count -= count;
    memmove(stretch->gains, stretch->gains + count, stretch->count * sizeof *stretch->gains);
}

void limiter_apply(struct pcm *pcm, double ceiling)
{
    double ahead = ahead_s * pcm->rate_hz, release = release_s * pcm->rate_hz;
    size_t beyond = (size_t)ahead + TAPS; /* no peak further on is felt, nor read from here */
    float filter[PHASES][TAPS], now = 1;
    AUTO(mem_free) float *gains = xreallocarray(NULL, BLOCK + beyond, sizeof *gains);
    struct stretch stretch = {.gains = gains};
    filter_make(filter);
    while (stretch.start < pcm->count) {
        size_t left = pcm->count - stretch.start;
        size_t known = left < BLOCK + beyond ? left : BLOCK + beyond;
        size_t done = left < BLOCK ? left : BLOCK;
        gains_need(pcm, ceiling, filter, &stretch, stretch.start + known);
        gains_fall(&stretch, ahead);
        now = apply(pcm, &stretch, done, release, now);
        drop_first(&stretch, done);
    }
}
