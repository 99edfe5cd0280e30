/* SPDX-License-Identifier: Apache-2.0 */
/* How an eye looks when it is shut: the skin around it, gone on with smoothly over the opening and
 * its lashes. An open eye hides most of its lid in a fold, so there is nothing in the photo that
 * could be drawn over it; what has the colours of its surroundings on all sides shows no edge. */
#pragma once

#include "video/face_map.h"

enum { LID_COLUMNS = 48, LID_ROWS = 32 };

struct lid {
    float x, y, step_x,
        step_y; /* of the first sample and from one to the next; in the eye's axes */
    float yuv[3][LID_ROWS][LID_COLUMNS];
    float share[LID_ROWS][LID_COLUMNS]; /* 1 on the eye and its lashes, falling to 0 around */
    float lash_light;                   /* of the line of the lashes, against the skin's */
    float lash_thick;                   /* px */
};

struct eye;

/* Needs the eye's columns. */
void lid_init(struct lid *lid, const struct eye *eye, const struct frame420 *photo);

/* How much of a place is lid, and its colour; false when nothing. */
bool lid_at(const struct lid *lid, float x, float y, float *out_share, float out_yuv[3]);
