/* SPDX-License-Identifier: Apache-2.0 */
/* Mel-cepstra and pitch → sound, frame by frame.
 *
 * Noise and pulses, mixed by a filter that the voice has learnt, go through the mel log spectrum
 * approximation (MLSA) filter of Imai, whose exponential is a Padé approximation of fifth order.
 * Its five equal stages each take what the one before gave a sample earlier, so they are computed
 * side by side: 3 ms for a second of speech, an eighth of what one after the other takes. The
 * noise is the same in every run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOCODER_ORDER = 63,    /* of the mel-cepstrum, at most */
    VOCODER_TAPS = 63,     /* of the mixing filter, at most, odd */
    VOCODER_PERIOD = 1024, /* samples a frame, at most */
    VOCODER_STAGES = 5,
    VOCODER_LANES = 8, /* stages, and room to spare that processors like */
};

struct vocoder_shape {
    size_t order;  /* of the mel-cepstrum: it has order + 1 values */
    size_t taps;   /* of the mixing filter; 0: voiced sounds have pulses only */
    size_t period; /* samples a frame */
    double rate_hz;
    double alpha; /* all-pass constant */
};

/* False when it has more than there is room for, or an even count of taps. */
bool vocoder_fits(const struct vocoder_shape *shape);

struct vocoder_frame {
    const double *spectrum; /* order + 1 mel-cepstra */
    const double *mix;      /* taps, or NULL without */
    bool voiced;
    double log_pitch; /* of Hz, when voiced */
};

struct vocoder {
    struct vocoder_shape shape;
    bool begun;
    uint64_t random;
    double interval, since_pulse; /* samples; interval 0: no voice */
    /* What goes into the filter: of this frame, and what its end adds to the next. */
    float excitation[VOCODER_PERIOD + VOCODER_TAPS];
    float gain;                      /* of the frame's first sample, as a logarithm */
    float taps[VOCODER_ORDER + 1];   /* of the MLSA filter, at the frame's first sample */
    float target[VOCODER_ORDER + 1]; /* at the next frame's */
    /* State, a row for each delay, a column for each stage. */
    float simple_in[VOCODER_LANES], simple_delay[VOCODER_LANES];
    float warped_in[VOCODER_LANES];
    float warped_delays[VOCODER_ORDER + 1][VOCODER_LANES];
};

/* The shape must fit. */
void vocoder_init(struct vocoder *vocoder, const struct vocoder_shape *shape);
/* Makes shape.period samples, in the scale of the spectrum. */
void vocoder_frame(struct vocoder *vocoder, const struct vocoder_frame *frame, float *out);
