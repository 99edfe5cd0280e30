/* SPDX-License-Identifier: Apache-2.0 */
#include "video/curve.h"

#include <math.h>

static const float min_step = 0.05f;

void curve_add(struct curve *curve, float x, float y)
{
    if (curve->count == CURVE_POINTS ||
        (curve->count > 0 && x < curve->x[curve->count - 1] + min_step))
        return;
    curve->x[curve->count] = x;
    curve->y[curve->count] = y;
    curve->count++;
}

/* The harmonic mean of the neighbours' slopes, level at extremes. */
void curve_finish(struct curve *curve)
{
    int last = curve->count - 1;
    for (int i = 0; i <= last; i++) {
        float left = 0, right = 0;
        if (i > 0)
            left = (curve->y[i] - curve->y[i - 1]) / (curve->x[i] - curve->x[i - 1]);
        if (i < last)
            right = (curve->y[i + 1] - curve->y[i]) / (curve->x[i + 1] - curve->x[i]);
        if (i == 0 || i == last)
            curve->slope[i] = left + right;
        else
            curve->slope[i] = left * right > 0 ? 2 * left * right / (left + right) : 0;
    }
}

float curve_at(const struct curve *curve, float x)
{
    int last = curve->count - 1;
    if (last < 0)
        return 0;
    if (x <= curve->x[0])
        return curve->y[0];
    if (x >= curve->x[last])
        return curve->y[last];
    int i = 0;
    while (x > curve->x[i + 1])
        i++;
    float width = curve->x[i + 1] - curve->x[i];
    float t = (x - curve->x[i]) / width, rest = 1 - t;
    float from = curve->y[i] * (1 + 2 * t) + curve->slope[i] * width * t;
    float to = curve->y[i + 1] * (1 + 2 * rest) - curve->slope[i + 1] * width * rest;
    return from * rest * rest + to * t * t;
}
