/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/resample.h"

#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"

enum { SLACK = 4096 }; /* samples; more than any filter delays */

static inline void swr_free_auto(SwrContext **swr)
{
    swr_free(swr);
}

size_t resampled_count(size_t count, int from_hz, int to_hz)
{
    return (size_t)(((unsigned long long)count * (unsigned)to_hz + (unsigned)from_hz / 2) /
                    (unsigned)from_hz);
}

static SwrContext *swr_open(int from_hz, int to_hz)
{
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    SwrContext *swr = NULL;
    if (swr_alloc_set_opts2(&swr, &mono, AV_SAMPLE_FMT_FLT, to_hz, &mono, AV_SAMPLE_FMT_FLT,
                            from_hz, 0, NULL) < 0)
        return NULL;
    av_opt_set_int(swr, "filter_size", 48, 0);
    av_opt_set_double(swr, "cutoff", .97, 0);
    if (swr_init(swr) < 0)
        swr_free(&swr);
    return swr;
}

bool resample(const struct pcm *pcm, int to_hz, struct pcm *out, struct error *err)
{
    size_t wanted = resampled_count(pcm->count, pcm->rate_hz, to_hz);
    *out = (struct pcm){.rate_hz = to_hz, .count = wanted};
    out->samples = xcalloc(wanted + SLACK, sizeof *out->samples);
    if (pcm->rate_hz == to_hz) {
        memcpy(out->samples, pcm->samples, pcm->count * sizeof *pcm->samples);
        return true;
    }
    AUTO(swr_free) SwrContext *swr = swr_open(pcm->rate_hz, to_hz);
    const uint8_t *from = (const uint8_t *)pcm->samples;
    uint8_t *to = (uint8_t *)out->samples;
    int made = -1, rest = -1;
    if (swr)
        made = swr_convert(swr, &to, (int)(wanted + SLACK), &from, (int)pcm->count);
    if (made >= 0) {
        to = (uint8_t *)(out->samples + made);
        rest = swr_convert(swr, &to, (int)wanted + SLACK - made, NULL, 0);
    }
    if (rest >= 0)
        return true;
    pcm_dispose(out);
    return error_set(err, ERROR_INTERNAL, "%d Hz cannot become %d Hz", pcm->rate_hz, to_hz);
}
