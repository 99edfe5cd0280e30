/* SPDX-License-Identifier: Apache-2.0 */
/* Planes of floats at a low resolution, and reading them at a high one. The filters of matte.h
 * work on a coarse grid and only their last step touches every pixel. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"

struct planes {
    int count, width, height;
    float *data; /* count planes of height rows of width numbers */
};

MUST_USE struct planes planes_new(int count, int width, int height);
void planes_dispose(struct planes *planes);
static inline void planes_dispose_auto(struct planes *planes)
{
    planes_dispose(planes);
}

static inline float *planes_row(const struct planes *planes, int plane, int y)
{
    return planes->data +
           ((size_t)plane * (size_t)planes->height + (size_t)y) * (size_t)planes->width;
}

/* Replaces every number by the mean of the (2 × radius + 1)² around it, fewer at the edges. */
void planes_box_mean(struct planes *planes, int radius);

/* Where pixel `at` of `large` lies among `small` cells: the one before it, which has a next one
 * unless it is the only one, and the share of that. Centres of pixels meet centres of cells. */
int planes_place(int at, int large, int small, float *out_share);

/* Reads planes as if they were `width` × `height` pixels, linear in between, row by row from the
 * top. */
struct enlarger {
    const struct planes *planes;
    int width, height;
    int *left;      /* for each column of the output, the one to its left in the planes */
    float *share;   /* and how much the next one counts */
    float *rows[2]; /* two rows of the planes, as wide as the output */
    int row_at[2];  /* which rows those are */
};

void enlarger_init(struct enlarger *enlarger, const struct planes *planes, int width, int height);
void enlarger_dispose(struct enlarger *enlarger);
static inline void enlarger_dispose_auto(struct enlarger *enlarger)
{
    enlarger_dispose(enlarger);
}
/* Row y of every plane, one after the other: count × width numbers. */
void enlarger_row(struct enlarger *enlarger, int y, float *out);
