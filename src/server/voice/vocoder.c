/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/vocoder.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "media/hot.h"

/* The filter's transfer function is exp(F(z)), F(z) = b0 + b1 A(z) + … + bm A(z)ᵐ, with the
 * all-pass A(z) = (z⁻¹ - α) / (1 - α z⁻¹) in place of a delay, so that its resolution is that of
 * the ear. exp(F) ≈ P(F) / P(-F), and both polynomials share the powers of F that a row of stages,
 * each applying F once, computes. The first-order part of F has a row of its own, since it may be
 * too large for the approximation together with the others; b0 is a plain gain. */

typedef float lanes
    __attribute__((vector_size(VOCODER_LANES * sizeof(float)), aligned(4), may_alias));

/* Padé's: what stage k adds to numerator and denominator; see pade_new for their signs. */
static const float pade[VOCODER_STAGES] = {0.4999391f, 0.1107098f, 0.01369984f, 9.564853e-4f,
                                           3.041721e-5f};

enum { LOWEST_HZ = 20, HIGHEST_HZ = 20000 };

bool vocoder_fits(const struct vocoder_shape *shape)
{
    return shape->order >= 2 && shape->order <= VOCODER_ORDER && shape->taps <= VOCODER_TAPS &&
           (shape->taps == 0 || shape->taps % 2 == 1) && shape->period > 0 &&
           shape->period <= VOCODER_PERIOD && shape->rate_hz > 0;
}

void vocoder_init(struct vocoder *vocoder, const struct vocoder_shape *shape)
{
    assert(vocoder_fits(shape));
    *vocoder = (struct vocoder){.shape = *shape, .random = 0x9e3779b97f4a7c15u};
}

/* --- excitation ------------------------------------------------------------------------------- */

/* Nearly normal, variance 1: the sum of four even ones. */
static float noise_next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    int sum =
        (int)(x & 0xffff) + (int)(x >> 16 & 0xffff) + (int)(x >> 32 & 0xffff) + (int)(x >> 48);
    static const float scale = 2.6428e-5f; /* √3 / 65536 */
    return ((float)sum - 131070) * scale;
}

/* Pulses, as high as keeps their power that of the noise. */
static void pulses_add(struct vocoder *vocoder, const struct vocoder_frame *frame, double step)
{
    const struct vocoder_shape *shape = &vocoder->shape;
    for (size_t n = 0; n < shape->period; n++) {
        vocoder->since_pulse += 1;
        if (vocoder->since_pulse >= vocoder->interval) {
            float pulse = (float)sqrt(vocoder->interval);
            vocoder->since_pulse -= vocoder->interval;
            if (!frame->mix)
                vocoder->excitation[n] += pulse;
            else
                for (size_t i = 0; i < shape->taps; i++)
                    vocoder->excitation[n + i] += pulse * (float)frame->mix[i];
        }
        vocoder->interval += step;
    }
}

/* Adds `noise` through the taps, which lie backwards; it is preceded and followed by as many zeros
 * less one. */
HOT static void noise_filter(const float *noise, const float *taps, size_t count, size_t length,
                             float *restrict out)
{
    for (size_t i = 0; i < count; i++) {
        float tap = taps[i];
        for (size_t n = 0; n < length; n++)
            out[n] += tap * noise[n + i];
    }
}

/* The voice's filter passes the pulses; what it holds back is noise. */
static void breath_add(struct vocoder *vocoder, const struct vocoder_frame *frame)
{
    const struct vocoder_shape *shape = &vocoder->shape;
    enum { ROOM = VOCODER_PERIOD + 2 * VOCODER_TAPS };
    float noise[ROOM] = {0}, backwards[VOCODER_TAPS];
    size_t taps = shape->taps;
    for (size_t n = 0; n < shape->period; n++)
        noise[taps - 1 + n] = noise_next(&vocoder->random);
    for (size_t i = 0; i < taps; i++)
        backwards[taps - 1 - i] = (i == taps / 2 ? 1 : 0) - (float)frame->mix[i];
    noise_filter(noise, backwards, taps, shape->period + taps - 1, vocoder->excitation);
}

static void excite(struct vocoder *vocoder, const struct vocoder_frame *frame)
{
    const struct vocoder_shape *shape = &vocoder->shape;
    double interval = 0, step = 0;
    if (frame->voiced)
        interval = shape->rate_hz / fmin(fmax(exp(frame->log_pitch), LOWEST_HZ), HIGHEST_HZ);
    if (!vocoder->begun || vocoder->interval == 0 || interval == 0) {
        vocoder->interval = interval;
        vocoder->since_pulse = interval - 1; /* a voice begins with a pulse */
    } else {
        step = (interval - vocoder->interval) / (double)shape->period;
    }
    size_t middle = shape->taps / 2;
    if (interval == 0)
        for (size_t n = 0; n < shape->period; n++)
            vocoder->excitation[middle + n] += noise_next(&vocoder->random);
    else if (frame->mix)
        breath_add(vocoder, frame);
    if (interval != 0)
        pulses_add(vocoder, frame, step);
    vocoder->interval = interval;
}

/* --- filter ----------------------------------------------------------------------------------- */

/* Mel-cepstra → coefficients of the powers of the all-pass. */
static void coefficients(const struct vocoder_shape *shape, const double *spectrum, float *out)
{
    double last = 0;
    for (size_t i = shape->order + 1; i-- > 0;) {
        last = spectrum[i] - shape->alpha * last;
        out[i] = (float)last;
    }
}

struct pade {
    lanes back, through; /* what each stage gives to the row's input and to its output */
};

static struct pade pade_new(void)
{
    struct pade out = {0};
    for (int i = 0; i < VOCODER_STAGES; i++) {
        out.back[i] = i % 2 ? -pade[i] : pade[i];
        out.through[i] = i % 2 ? 0 : 2 * pade[i];
    }
    return out;
}

#define LANES_SUM(v) (((v)[0] + (v)[1]) + ((v)[2] + (v)[3]) + (v)[4])
/* Each stage hands on to the next; the first takes `first`. */
#define LANES_SHIFT(v, first) __builtin_shufflevector(v, (lanes){first}, 8, 0, 1, 2, 3, 4, 5, 6)

/* From excitation to sound, in place of it; coefficients move by `steps` with every sample. */
HOT static void filter(struct vocoder *vocoder, const float *steps, float gain, float growth,
                       float *out)
{
    const struct pade part = pade_new();
    const size_t order = vocoder->shape.order;
    const float alpha = (float)vocoder->shape.alpha, rest = 1 - alpha * alpha;
    float *taps = vocoder->taps;
    lanes simple_in = *(lanes *)vocoder->simple_in, simple = *(lanes *)vocoder->simple_delay;
    lanes warped_in = *(lanes *)vocoder->warped_in;
    lanes *delays = (lanes *)vocoder->warped_delays;

    for (size_t n = 0; n < vocoder->shape.period; n++) {
        float x = vocoder->excitation[n] * gain;
        gain *= growth;

        simple = rest * simple_in + alpha * simple;
        lanes y = simple * taps[1];
        lanes back = y * part.back, through = y * part.through;
        simple_in = LANES_SHIFT(y, x + LANES_SUM(back));
        x += LANES_SUM(through);

        lanes before = delays[1], now = rest * warped_in + alpha * before, sum = {0};
        delays[1] = now;
        for (size_t i = 2; i <= order; i++) {
            lanes old = delays[i];
            now = (before + alpha * old) - alpha * now;
            delays[i] = now;
            sum += now * taps[i];
            before = old;
        }
        back = sum * part.back;
        through = sum * part.through;
        warped_in = LANES_SHIFT(sum, x + LANES_SUM(back));
        out[n] = x + LANES_SUM(through);

        for (size_t i = 1; i <= order; i++)
            taps[i] += steps[i];
    }
    *(lanes *)vocoder->simple_in = simple_in;
    *(lanes *)vocoder->simple_delay = simple;
    *(lanes *)vocoder->warped_in = warped_in;
}

void vocoder_frame(struct vocoder *vocoder, const struct vocoder_frame *frame, float *out)
{
    const struct vocoder_shape *shape = &vocoder->shape;
    float steps[VOCODER_ORDER + 1];
    excite(vocoder, frame);
    coefficients(shape, frame->spectrum, vocoder->target);
    if (!vocoder->begun)
        memcpy(vocoder->taps, vocoder->target, sizeof vocoder->taps);
    vocoder->begun = true;
    for (size_t i = 0; i <= shape->order; i++)
        steps[i] = (vocoder->target[i] - vocoder->taps[i]) / (float)shape->period;
    filter(vocoder, steps, expf(vocoder->taps[0]), expf(steps[0]), out);
    memcpy(vocoder->taps, vocoder->target, sizeof vocoder->taps);

    size_t tail = shape->taps ? shape->taps - 1 : 0;
    memmove(vocoder->excitation, vocoder->excitation + shape->period, tail * sizeof(float));
    memset(vocoder->excitation + tail, 0, shape->period * sizeof(float));
}
