/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen between the lips: teeth, tongue, darkness. Painted, in the colours and the light of
 * the photo; teeth that the photo shows itself stay, attached to the upper lip. */
#pragma once

#include "video/face_map.h"
#include "video/palette.h"
#include "video/teeth.h"

struct frame420;
struct source;

struct mouth {
    const struct face_map *map;
    struct teeth upper, lower;
    struct palette palette;
    float upper_edge; /* y where the upper teeth end, px in the axes */
    float turned;     /* sine of the head's yaw: what lies deeper is seen further to a side */
};

void mouth_init(struct mouth *mouth, const struct face_map *map, const struct face *face,
                const struct frame420 *photo);
void mouth_dispose(struct mouth *mouth);

/* The tongue of one frame: a mound, or its tip raised. Lengths in px. */
struct tongue_now {
    float top, fall, width; /* y in the middle, how much lower at the sides, half of its width */
    float soft;             /* over which its edge fades */
    float light;
};

/* Parameters of one frame. */
struct mouth_now {
    const struct mouth *mouth;
    const struct face_now *face;
    const struct source *photo;
    float upper_edge, lower_edge; /* y where the upper teeth end and the lower ones begin */
    struct tongue_now tongue;
    bool tongue_out;                /* the tip lies between the teeth, over both */
    float upper_light, lower_light; /* of the teeth */
    float own_share; /* of what the photo shows between the lips: teeth stay, shadows do not */
    /* y, for places in each column: up to the one there is nothing but the sheet above, from the
     * other one on nothing but the sheet below. */
    float all_above[FACE_COLUMNS + 1], all_below[FACE_COLUMNS + 1];
};
void mouth_now_init(struct mouth_now *now, const struct mouth *mouth, const struct face_now *face,
                    const struct source *photo);

enum mouth_part { MOUTH_ABOVE, MOUTH_BELOW, MOUTH_MIXED };
/* What is to be seen at (x, y) in the axes: skin just as one of the sheets has it, or more. */
enum mouth_part mouth_part_at(const struct mouth_now *now, float x, float y);

/* The colour at (x, y) in the axes, inside the opening. */
void mouth_colour(const struct mouth_now *now, const struct opening *opening, float x, float y,
                  float out_yuv[3]);

/* How much lighter (above 1) or darker a lip is at `y`, near its wet inner edge. */
float mouth_lip_light(const struct mouth_now *now, const struct opening *opening, float y);
