/* SPDX-License-Identifier: Apache-2.0 */
/* What is seen between the lips: teeth, tongue, darkness. Painted, in the colours and the light of
 * the photo; teeth that the photo shows itself stay, attached to the upper lip. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "video/face_map.h"

struct frame420;
struct source;

/* One jaw's teeth, seen from the front, once per pixel of the photo. */
struct teeth {
    int width, height; /* samples */
    float x, y;        /* of the axes' origin (middle, biting edge) in samples */
    uint8_t *cover;    /* 0..255 */
    uint8_t *shade;    /* 0..255: how light */
};

struct mouth {
    const struct face_map *map;
    struct teeth upper, lower;
    float enamel[3], shaded[3], tongue[3], dark[3]; /* Y, U, V; shaded: of the lower teeth */
    bool own_teeth;                                 /* the photo shows upper teeth */
    float upper_edge; /* y where the upper teeth end, px in the axes */
};

void mouth_init(struct mouth *mouth, const struct face_map *map, const struct face *face,
                const struct frame420 *photo);
void mouth_dispose(struct mouth *mouth);

/* Parameters of one frame. */
struct mouth_now {
    const struct mouth *mouth;
    const struct face_now *face;
    const struct source *photo;
    float jaw;                                     /* px that the lower teeth have moved down */
    float lower_edge;                              /* y where the lower teeth begin */
    float tip_y, tip_height, tip_width, tip_light; /* the raised tip of the tongue */
    float tongue_light, teeth_light;
    float open;      /* 0..1: how far, for the light that falls in */
    float own_share; /* of what the photo shows between the lips: teeth stay, shadows do not */
};
void mouth_now_init(struct mouth_now *now, const struct mouth *mouth, const struct face_now *face,
                    const struct source *photo);

/* The colour at (x, y) in the axes, inside the opening. */
void mouth_colour(const struct mouth_now *now, const struct opening *opening, float x, float y,
                  float out_yuv[3]);

/* How much lighter (above 1) or darker a lip is at `y`, near its wet inner edge. */
float mouth_lip_light(const struct mouth_now *now, const struct opening *opening, float y);
