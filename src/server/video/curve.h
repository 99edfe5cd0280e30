/* SPDX-License-Identifier: Apache-2.0 */
/* Smooth curves through a few points: lips, lids, the chin. */
#pragma once

enum { CURVE_POINTS = 24 };

struct curve {
    int count;
    float x[CURVE_POINTS], y[CURVE_POINTS], slope[CURVE_POINTS];
};

/* Adds a point; points come from left to right, one that does not lie to the right of the last is
 * left out. */
void curve_add(struct curve *curve, float x, float y);
/* Once, after the last point: slopes that never overshoot. */
void curve_finish(struct curve *curve);
/* Beyond the ends it is level. */
float curve_at(const struct curve *curve, float x);

static inline float clampf(float value, float low, float high)
{
    return value < low ? low : value > high ? high : value;
}

static inline float lerpf(float from, float to, float share)
{
    return from + (to - from) * share;
}

/* 0 up to `from`, 1 beyond `to`, smooth between them. */
static inline float smoothstep(float from, float to, float at)
{
    float share = clampf((at - from) / (to - from), 0, 1);
    return share * share * (3 - 2 * share);
}
