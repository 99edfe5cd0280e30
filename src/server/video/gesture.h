/* SPDX-License-Identifier: Apache-2.0 */
/* What a living face does besides talking: blinks, brows, a wandering gaze, a head that is never
 * quite still, and breath. A function of the seed and the time alone. */
#pragma once

#include <stdint.h>

struct gesture {
    float blink;            /* 0 as in the photo, 1 shut */
    float brows;            /* mm up */
    float gaze_x, gaze_y;   /* mm, to the right of the picture and down */
    float yaw, pitch, roll; /* radians; to the right of the picture, down, clockwise */
    float shift_x, shift_y; /* mm */
    float breath;           /* 0..1 */
};

struct gesture_source {
    uint64_t seed;
    double duration_s;
};

/* `emphasis`: 0..1, how stressed the speech is just now; it moves brows and head. */
struct gesture gesture_at(const struct gesture_source *source, double time_s, float emphasis);
