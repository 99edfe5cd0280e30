/* SPDX-License-Identifier: Apache-2.0 */
/* An eye that blinks and looks about: the upper lid comes down with its lashes, the skin above it
 * follows, the lower lid rises a little. */
#pragma once

#include <stdbool.h>

#include "video/face_map.h"
#include "video/lid.h"

enum { EYE_COLUMNS = 48 };

struct eye_column {
    float top, upper, lower, bottom; /* y: where the skin stays, the lids' edges, where it stays */
    float inside;                    /* 0 at the corners, 1 in the middle */
};

struct eye {
    struct axes axes;
    float px_per_mm;
    float left, right, step; /* x of the corners; from column to column */
    float from, to;          /* x bounds of what moves: the corners sag a little in a blink */
    float outer;             /* -1: the left corner in the picture is the outer one; 1: the right */
    float top, bottom;       /* bounds of what moves */
    float iris_x, iris_y, iris_radius;
    float brow_y, brow_reach; /* of the brow, and how far it reaches sideways */
    bool can_blink;
    struct eye_column columns[EYE_COLUMNS + 1];
    struct lid lid;
};

/* `side` 0: the person's right eye, which is on the left in the picture. */
void eye_init(struct eye *eye, const struct face *face, int side, const struct frame420 *photo,
              float px_per_mm);

struct eye_now {
    const struct eye *eye;
    float blink;          /* 0..1 */
    float gaze_x, gaze_y; /* px */
};

/* What is seen at (x, y) in the axes: a mix of up to three places of the photo, partly under the
 * colour of the shut lid, darkened. */
struct eye_sample {
    float x, upper_y, upper_cover; /* skin of the upper lid, and how much of the pixel it takes */
    float lower_y, lower_cover;    /* and of the lower one */
    float under_x, under_y;        /* the eye itself */
    float lid_share, lid[3];       /* of all of it, and in which colour */
    float light;                   /* 1 as it is, less under lashes */
};
/* False where nothing moves. */
bool eye_now_sample(const struct eye_now *now, float x, float y, struct eye_sample *out);

/* How far the skin around the brow moves up there, as a share of the brow's own motion. */
float eye_brow_share(const struct eye *eye, float x, float y);
