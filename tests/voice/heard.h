/* SPDX-License-Identifier: Apache-2.0 */
/* What a listener gets from a voice, and what can be measured in it. */
#pragma once

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/test.h"
#include "voice/voice.h"

struct heard {
    int rate_hz;
    size_t planned, count, spans;
    float *samples;
    struct viseme_span span[8192];
};

static inline bool heard_plan(void *context, const struct viseme_track *track, int rate_hz,
                              size_t samples, struct error *err)
{
    struct heard *heard = context;
    assert_int_equal(heard->rate_hz, 0); /* once, and before the sound */
    assert_int_equal(heard->count, 0);
    assert_true(track->count <= sizeof heard->span / sizeof *heard->span);
    heard->rate_hz = rate_hz;
    heard->planned = samples;
    heard->samples = xcalloc(samples + 1, sizeof *heard->samples);
    heard->spans = track->count;
    memcpy(heard->span, track->spans, track->count * sizeof *track->spans);
    return true;
}

static inline bool heard_audio(void *context, const float *samples, size_t count, struct error *err)
{
    struct heard *heard = context;
    assert_true(heard->count + count <= heard->planned);
    memcpy(heard->samples + heard->count, samples, count * sizeof *samples);
    heard->count += count;
    return true;
}

static inline void heard_dispose_auto(struct heard *heard)
{
    free(heard->samples);
}

static inline struct voice_request heard_request(const char *voice, const char *text)
{
    return (struct voice_request){
        .voice_id = voice, .text = text, .speed = 1, .intonation = 1, .volume = 1, .pause = 1};
}

static inline bool heard_speak(struct voices *voices, const struct voice_request *request,
                               struct heard *heard, struct error *err)
{
    struct voice_sink sink = {.context = heard, .plan = heard_plan, .audio = heard_audio};
    *heard = (struct heard){0};
    return voices_speak(voices, request, &sink, err);
}

static inline double heard_seconds(const struct heard *heard)
{
    return (double)heard->count / heard->rate_hz;
}

static inline double heard_level(const struct heard *heard)
{
    double sum = 0;
    for (size_t i = 0; i < heard->count; i++)
        sum += pow((double)heard->samples[i], 2);
    return sqrt(sum / (double)heard->count);
}

static inline int heard_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The pitch of 30 ms at `at` by autocorrelation at about 8 kHz; 0 where there is none. */
static inline double heard_pitch_at(const struct heard *heard, size_t at, double loud)
{
    size_t step = (size_t)heard->rate_hz / 8000, window = 240;
    double best = .75, found = 0;
    float x[600];
    double energy = 0;
    for (size_t i = 0; i < 600; i++) {
        float sum = 0;
        for (size_t k = 0; k < step; k++)
            sum += heard->samples[at + i * step + k];
        x[i] = sum / (float)step;
        energy += (double)(x[i] * x[i]);
    }
    if (energy / 600 < loud * loud * .3)
        return 0;
    double rate_hz = (double)heard->rate_hz / (double)step;
    for (size_t lag = (size_t)(rate_hz / 550); lag < (size_t)(rate_hz / 55); lag++) {
        double both = 0, a = 1e-9, b = 1e-9;
        for (size_t i = 0; i < window; i++) {
            both += (double)(x[i] * x[i + lag]);
            a += (double)(x[i] * x[i]);
            b += (double)(x[i + lag] * x[i + lag]);
        }
        double r = both / sqrt(a * b);
        if (r > best * 1.04) {
            best = r;
            found = rate_hz / (double)lag;
        }
    }
    return found;
}

struct heard_pitch {
    double median_hz;
    double spread; /* from the 15th to the 85th percentile, half-tones */
};

static inline struct heard_pitch heard_pitch(const struct heard *heard)
{
    static const size_t room = 4000;
    double *found = xcalloc(room, sizeof *found), loud = heard_level(heard);
    size_t count = 0, hop = (size_t)heard->rate_hz / 50;
    size_t need = 600 * ((size_t)heard->rate_hz / 8000) + 1;
    for (size_t at = 0; at + need < heard->count && count < room; at += hop) {
        double hz = heard_pitch_at(heard, at, loud);
        if (hz > 0)
            found[count++] = hz;
    }
    assert_true(count > 10);
    qsort(found, count, sizeof *found, heard_compare);
    struct heard_pitch pitch = {
        .median_hz = found[count / 2],
        .spread = 12 * log2(found[count * 85 / 100] / found[count * 15 / 100]),
    };
    free(found);
    return pitch;
}

static inline int heard_open(void **state)
{
    struct error err = {0};
    *state = voices_open(NULL, &err);
    if (!*state)
        print_error("%s\n", err.text);
    return *state ? 0 : -1;
}

static inline int heard_close(void **state)
{
    voices_close(*state);
    return 0;
}
