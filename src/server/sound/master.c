/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/sound.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "sound/limiter.h"
#include "sound/loudness.h"
#include "sound/mix.h"
#include "sound/music.h"
#include "sound/resample.h"

static const double target_lufs = -16;
static const double ceiling_dbtp = -1;
static const double margin_db = .15; /* what the limiter's estimate of a peak may miss */
static const double silence_dbtp = -90;
static const double low_cut_hz = 45;
static const double fade_s = .012;
static const double pi = 3.14159265358979323846;

enum { SECONDS_LIMIT = 600, ROUNDS = 5 };

struct sound_options sound_options_defaults(void)
{
    return (struct sound_options){.volume = 1, .bgm_level = 1};
}

static size_t padding(double seconds)
{
    return (size_t)lround(fmax(0, fmin(10, seconds)) * SOUND_RATE_HZ);
}

size_t sound_length(size_t count, int rate_hz, const struct sound_options *options)
{
    return padding(options->lead_s) + resampled_count(count, rate_hz, SOUND_RATE_HZ) +
           padding(options->tail_s);
}

/* A Butterworth high-pass of second order: engines leave an offset and rumble below any voice. */
static void low_cut(struct pcm *pcm)
{
    double w = 2 * pi * low_cut_hz / pcm->rate_hz;
    double alpha = sin(w) / sqrt(2), a0 = 1 + alpha;
    double b0 = (1 + cos(w)) / 2 / a0, b1 = -(1 + cos(w)) / a0;
    double a1 = -2 * cos(w) / a0, a2 = (1 - alpha) / a0;
    double first = pcm->count ? (double)pcm->samples[0] : 0;
    double x1 = first, x2 = first, y1 = 0, y2 = 0; /* as if it had always been there: no step */
    for (size_t i = 0; i < pcm->count; i++) {
        double x = (double)pcm->samples[i];
        double y = b0 * (x + x2) + b1 * x1 - a1 * y1 - a2 * y2;
        x2 = x1;
        x1 = x;
        y2 = y1;
        y1 = y;
        pcm->samples[i] = (float)y;
    }
}

static void gain_apply(struct pcm *pcm, double gain)
{
    for (size_t i = 0; i < pcm->count; i++)
        pcm->samples[i] *= (float)gain;
}

/* A few milliseconds at both ends, so that nothing begins or ends with a step. */
static void edges_fade(struct pcm *pcm)
{
    size_t length = (size_t)(fade_s * pcm->rate_hz);
    if (length > pcm->count / 2)
        length = pcm->count / 2;
    for (size_t i = 0; i < length; i++) {
        float gain = (float)(.5 - .5 * cos(pi * (double)i / (double)length));
        pcm->samples[i] *= gain;
        pcm->samples[pcm->count - 1 - i] *= gain;
    }
}

static double from_db(double db)
{
    return pow(10, db / 20);
}

/* Limiting lowers loudness a little, so gain and limiter take turns until both hold. */
static bool level(struct pcm *pcm, double target, struct error *err)
{
    struct loudness now;
    double ceiling = from_db(ceiling_dbtp - margin_db);
    for (int round = 0; round < ROUNDS; round++) {
        if (!loudness_measure(pcm, &now, err))
            return false;
        if (now.peak_dbtp < silence_dbtp)
            return true;           /* silence stays silence */
        if (!isfinite(now.lufs)) { /* below the standard's gate: up to where it can be measured */
            gain_apply(pcm, from_db(target - now.peak_dbtp));
            continue;
        }
        if (fabs(target - now.lufs) < .1 && now.peak_dbtp <= ceiling_dbtp)
            return true;
        gain_apply(pcm, from_db(target - now.lufs));
        limiter_apply(pcm, ceiling);
    }
    if (!loudness_measure(pcm, &now, err))
        return false;
    if (now.peak_dbtp > ceiling_dbtp)
        gain_apply(pcm, from_db(ceiling_dbtp - now.peak_dbtp));
    return true;
}

static bool music_named(const char *bgm)
{
    return bgm && *bgm && strcmp(bgm, "none") != 0;
}

/* In place as far as possible: minutes of sound are tens of megabytes. */
static void pad(struct pcm *pcm, const struct sound_options *options)
{
    size_t lead = padding(options->lead_s), tail = padding(options->tail_s);
    if (lead + tail == 0)
        return;
    float *longer = xreallocarray(pcm->samples, lead + pcm->count + tail + 1, sizeof *pcm->samples);
    memmove(longer + lead, longer, pcm->count * sizeof *longer);
    memset(longer, 0, lead * sizeof *longer);
    memset(longer + lead + pcm->count, 0, (tail + 1) * sizeof *longer);
    pcm->samples = longer;
    pcm->count += lead + tail;
}

static bool take(struct pcm *speech, struct pcm *out, struct error *err)
{
    if (speech->rate_hz != SOUND_RATE_HZ) {
        if (!resample(speech, SOUND_RATE_HZ, out, err))
            return false;
        pcm_dispose(speech);
        return true;
    }
    *out = *speech;
    *speech = (struct pcm){0};
    return true;
}

bool sound_master(struct pcm *speech, const struct sound_options *options, struct pcm *out,
                  struct error *err)
{
    const struct music_info *music = NULL;
    if (music_named(options->bgm) && !(music = music_find(options->bgm))) {
        error_set(err, ERROR_INVALID, "there is no music \"%.40s\"", options->bgm);
        return error_about(err, "bgm", "bgm_unknown");
    }
    if (speech->rate_hz <= 0 || speech->count / (size_t)speech->rate_hz >= SECONDS_LIMIT)
        return error_set(err, ERROR_LIMIT, "more than %d s of sound", SECONDS_LIMIT);
    AUTO(pcm_dispose) struct pcm pcm = {0};
    if (!take(speech, &pcm, err))
        return false;
    low_cut(&pcm);
    edges_fade(&pcm);
    if (!level(&pcm, target_lufs, err))
        return false;
    pad(&pcm, options);
    if (music &&
        !(mix_music(&pcm, music, options->bgm_level, err) && level(&pcm, target_lufs, err)))
        return false;
    if (options->volume < 1)
        gain_apply(&pcm, fmax(0, options->volume));
    else if (options->volume > 1 && !level(&pcm, target_lufs + 20 * log10(options->volume), err))
        return false;
    *out = pcm;
    pcm = (struct pcm){0};
    return true;
}
