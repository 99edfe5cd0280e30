/* SPDX-License-Identifier: Apache-2.0 */
#include "video/gesture.h"

#include <math.h>

enum { MAX_BLINKS = 4096 };

/* Everything begins and ends at the photo's own pose. */
static const double ease_s = 0.6;

static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* Number `index` of the stream `stream`, 0..1. */
static double random_at(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (double)(mix(mix(seed ^ (stream << 32)) + index) >> 11) / 9007199254740992.0;
}

/* Lids fall faster than they rise. */
static float blink_curve(double since_s)
{
    static const double falling_s = 0.085, shut_s = 0.045, rising_s = 0.170;
    if (since_s <= 0 || since_s >= falling_s + shut_s + rising_s)
        return 0;
    if (since_s < falling_s)
        return (float)(0.5 - 0.5 * cos(M_PI * since_s / falling_s));
    since_s -= falling_s;
    if (since_s < shut_s)
        return 1;
    since_s -= shut_s;
    return (float)(0.5 + 0.5 * cos(M_PI * since_s / rising_s));
}

static float blink_at(uint64_t seed, double time_s)
{
    double start = 1.2 + 1.6 * random_at(seed, 1, 0);
    for (uint64_t i = 1; i < MAX_BLINKS && start <= time_s; i++) {
        float blink = blink_curve(time_s - start);
        if (blink > 0)
            return blink;
        start += 3.0 + 2.0 * random_at(seed, 1, i);
    }
    return 0;
}

/* Three slow waves that never meet again: smooth, without a visible period, -1..1. */
static float drift(uint64_t seed, uint64_t stream, double time_s, double period_s)
{
    static const double ratios[] = {1, 0.618, 0.3247};
    static const double shares[] = {0.55, 0.30, 0.15};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double phase = 2 * M_PI * random_at(seed, stream, (uint64_t)i);
        sum += shares[i] * sin(2 * M_PI * time_s / (period_s * ratios[i]) + phase);
    }
    return (float)sum;
}

/* The eyes rest on a point for a while, then jump to the next. */
static void gaze_at(uint64_t seed, double time_s, float *out_x, float *out_y)
{
    double start = 0.9, x = 0, y = 0;
    for (uint64_t i = 0; i < MAX_BLINKS; i++) {
        double next_x = i % 2 ? 0 : 1.1 * (random_at(seed, 2, 2 * i) - 0.5);
        double next_y = i % 2 ? 0 : 0.5 * (random_at(seed, 2, 2 * i + 1) - 0.5);
        double step = fmin(fmax((time_s - start) / 0.06, 0), 1);
        x += (next_x - x) * step;
        y += (next_y - y) * step;
        start += i % 2 ? 1.4 + 2.2 * random_at(seed, 3, i) : 0.4 + 0.9 * random_at(seed, 3, i);
        if (start > time_s)
            break;
    }
    *out_x = (float)x;
    *out_y = (float)y;
}

struct gesture gesture_at(const struct gesture_source *source, double time_s, float emphasis)
{
    double left_s = source->duration_s - time_s;
    double ease = fmin(fmax(fmin(time_s, left_s) / ease_s, 0), 1);
    float whole = (float)(ease * ease * (3 - 2 * ease));
    uint64_t seed = source->seed;
    struct gesture gesture = {
        .blink = blink_at(seed, time_s),
        .brows = whole * (1.3f * emphasis * (0.4f + 0.6f * fabsf(drift(seed, 9, time_s, 3.1))) +
                          0.35f * drift(seed, 4, time_s, 6.0)),
        .yaw = whole * 0.036f * drift(seed, 5, time_s, 7.3),
        .pitch = whole * (0.022f * drift(seed, 6, time_s, 5.1) + 0.014f * emphasis),
        .roll = whole * 0.016f * drift(seed, 7, time_s, 8.9),
        .shift_x = whole * 1.1f * drift(seed, 8, time_s, 9.7),
        .shift_y = whole * 0.6f * drift(seed, 10, time_s, 6.7),
        .breath = whole * (float)(0.5 - 0.5 * cos(2 * M_PI * time_s / 3.9)),
    };
    gaze_at(seed, time_s, &gesture.gaze_x, &gesture.gaze_y);
    gesture.gaze_x *= whole;
    gesture.gaze_y *= whole;
    return gesture;
}
