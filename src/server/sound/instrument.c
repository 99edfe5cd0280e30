/* SPDX-License-Identifier: Apache-2.0 */
#include "sound/instrument.h"

#include <math.h>
#include <stdint.h>

#include "base/mem.h"

static const double pi = 3.14159265358979323846;

enum { PARTIALS = 6 };

static const struct timbre {
    double partial[PARTIALS]; /* loudness of each */
    double ratio[PARTIALS];   /* frequency, as a multiple of the note's; 0 means 1, 2, 3 … */
    double attack_s;
    double half_life_s; /* of the first partial at middle C; 0 holds */
    double release_s;
    double damping; /* how much faster each higher partial fades */
    double detune;  /* a second voice beside the first, as a ratio */
} timbres[INSTRUMENT_COUNT] = {
    [INSTRUMENT_PLUCK] = {.partial = {1, .55, .32, .16, .09, .05},
                          .attack_s = .004,
                          .half_life_s = .22,
                          .release_s = .12,
                          .damping = .8},
    [INSTRUMENT_PIANO] = {.partial = {1, .35, .12, .10, .03, .02},
                          .attack_s = .006,
                          .half_life_s = .6,
                          .release_s = .3,
                          .damping = .6,
                          .detune = 1.0007},
    [INSTRUMENT_PAD] = {.partial = {1, .5, .28, .12, .06, .03},
                        .attack_s = .45,
                        .release_s = .9,
                        .detune = 1.004},
    [INSTRUMENT_BASS] = {.partial = {1, .4, .15, .05},
                         .attack_s = .008,
                         .half_life_s = .5,
                         .release_s = .08,
                         .damping = .9},
    [INSTRUMENT_BELL] = {.partial = {1, .32, .22, .10},
                         .ratio = {1, 2.76, 5.4, 8.93},
                         .attack_s = .002,
                         .half_life_s = .45,
                         .release_s = 1.2,
                         .damping = 1.4},
};

static double frequency_of(int pitch)
{
    return 440 * pow(2, (pitch - 69) / 12.);
}

/* Adds a decaying sine by rotating a vector: two multiplications a sample. */
static void partial_add(struct pcm *note, double hz, double level, double half_life_s)
{
    if (level == 0 || hz > note->rate_hz * .45)
        return;
    double step = 2 * pi * hz / note->rate_hz;
    double decay = half_life_s > 0 ? pow(.5, 1 / (half_life_s * note->rate_hz)) : 1;
    double turn = cos(step) * decay, lift = sin(step) * decay, x = level, y = 0;
    for (size_t i = 0; i < note->count; i++) {
        note->samples[i] += (float)y;
        double next = x * turn - y * lift;
        y = x * lift + y * turn;
        x = next;
    }
}

static void envelope_apply(struct pcm *note, double attack_s, double release_s)
{
    size_t attack = (size_t)(attack_s * note->rate_hz),
           release = (size_t)(release_s * note->rate_hz);
    for (size_t i = 0; i < attack && i < note->count; i++)
        note->samples[i] *= (float)(.5 - .5 * cos(pi * (double)i / (double)attack));
    for (size_t i = 0; i < release && i < note->count; i++)
        note->samples[note->count - 1 - i] *=
            (float)(.5 - .5 * cos(pi * (double)i / (double)release));
}

static struct pcm tone(const struct timbre *timbre, int pitch, double seconds, int rate_hz)
{
    size_t count = (size_t)((seconds + timbre->release_s) * rate_hz);
    struct pcm note = {.rate_hz = rate_hz, .count = count};
    note.samples = xcalloc(count + 1, sizeof *note.samples);
    double hz = frequency_of(pitch), life_s = timbre->half_life_s * pow(2, (60 - pitch) / 24.);
    for (int i = 0; i < PARTIALS; i++) {
        double ratio = timbre->ratio[0] > 0 ? timbre->ratio[i] : i + 1;
        double level = timbre->partial[i] * (timbre->detune > 0 ? .5 : 1) * .6;
        double fades_s = life_s / (1 + timbre->damping * i);
        partial_add(&note, hz * ratio, level, fades_s);
        if (timbre->detune > 0)
            partial_add(&note, hz * ratio * timbre->detune, level, fades_s);
    }
    envelope_apply(&note, timbre->attack_s, timbre->release_s);
    return note;
}

static double noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (double)(*seed >> 8) / (1 << 23) - 1;
}

/* Noise between two one-pole filters, fading. */
static struct pcm hiss(double seconds, double half_life_s, double brightness, int rate_hz)
{
    struct pcm note = {.rate_hz = rate_hz, .count = (size_t)(seconds * rate_hz)};
    note.samples = xcalloc(note.count + 1, sizeof *note.samples);
    uint32_t seed = 1;
    double low = 0, decay = pow(.5, 1 / (half_life_s * rate_hz)), level = .7;
    for (size_t i = 0; i < note.count; i++) {
        double x = noise(&seed);
        low += (x - low) * brightness;
        note.samples[i] = (float)((x - low) * level);
        level *= decay;
    }
    envelope_apply(&note, .004, .02);
    return note;
}

static struct pcm kick(int rate_hz)
{
    struct pcm note = {.rate_hz = rate_hz, .count = (size_t)rate_hz * 3 / 10};
    note.samples = xcalloc(note.count + 1, sizeof *note.samples);
    double phase = 0;
    for (size_t i = 0; i < note.count; i++) {
        double t = (double)i / rate_hz;
        phase += 2 * pi * (48 + 70 * exp(-t * 30)) / rate_hz;
        note.samples[i] = (float)(sin(phase) * exp(-t * 14));
    }
    envelope_apply(&note, .003, .05);
    return note;
}

struct pcm instrument_note(enum instrument instrument, int pitch, double seconds, int rate_hz)
{
    switch (instrument) {
    case INSTRUMENT_KICK:
        return kick(rate_hz);
    case INSTRUMENT_SHAKER:
        return hiss(.09, .018, .55, rate_hz);
    case INSTRUMENT_CLAP:
        return hiss(.2, .03, .2, rate_hz);
    default:
        return tone(&timbres[instrument], pitch, seconds, rate_hz);
    }
}
