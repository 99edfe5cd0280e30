/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/loudness.h"

#include <math.h>

/* libebur128 has an enum of the name that our struct has. */
#define error ebur128_error
#include <ebur128.h>
#undef error

#include "base/auto.h"
#include "base/error.h"
#include "media/pcm.h"

static inline void ebur128_destroy_auto(ebur128_state **state)
{
    if (*state)
        ebur128_destroy(state);
}

bool loudness_measure(const struct pcm *pcm, struct loudness *out, struct error *err)
{
    *out = (struct loudness){-INFINITY, -INFINITY};
    if (pcm->count == 0)
        return true;
    AUTO(ebur128_destroy)
    ebur128_state *state =
        ebur128_init(1, (unsigned long)pcm->rate_hz, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
    if (!state)
        return error_set(err, ERROR_LIMIT, "no memory to measure loudness");
    size_t fed = 0;
    do {
        if (ebur128_add_frames_float(state, pcm->samples, pcm->count) != EBUR128_SUCCESS)
            return error_set(err, ERROR_LIMIT, "no memory to measure loudness");
        fed += pcm->count;
    } while (fed < (size_t)pcm->rate_hz);
    double peak = 0;
    if (ebur128_loudness_global(state, &out->lufs) != EBUR128_SUCCESS ||
        ebur128_true_peak(state, 0, &peak) != EBUR128_SUCCESS)
        return error_set(err, ERROR_INTERNAL, "loudness could not be measured");
    out->peak_dbtp = peak > 0 ? 20 * log10(peak) : -INFINITY;
    return true;
}
