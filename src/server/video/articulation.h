/* SPDX-License-Identifier: Apache-2.0 */
/* How the mouth stands at a moment of speech: visemes are targets, and neighbours pull at each
 * other as in a real mouth (co-articulation). A function of the track and the time alone. */
#pragma once

#include <stdbool.h>

#include "media/visemes.h"

/* Lengths in millimetres of a grown-up face; shares are 0..1. All zero is the photo's own mouth. */
struct mouth_pose {
    float jaw;    /* how far the chin drops */
    float upper;  /* how far the upper lip is raised beyond that */
    float lower;  /* how far the lower lip is lowered beyond that */
    float wide;   /* each corner outwards; negative inwards */
    float round;  /* share of lips pushed forward */
    float press;  /* share of lips pressed together: 1 is closed whatever the photo shows */
    float tuck;   /* share of the lower lip under the upper teeth */
    float teeth;  /* share of the lower teeth brought up to the upper ones */
    float tongue; /* share of the tongue's tip raised behind the upper teeth */
    float tip;    /* share of the tongue's tip between the teeth */
};

struct mouth_pose articulation_at(const struct viseme_track *track, double time_s);

/* How far the lips stand apart in the middle, mm, in a face whose mouth is closed at rest. */
float mouth_pose_gap(const struct mouth_pose *pose);

/* Nothing moves: the photo's own mouth. */
bool mouth_pose_is_still(const struct mouth_pose *pose);
