/* SPDX-License-Identifier: Apache-2.0 */
/* What warp.c and warp_whole.c share. */
#pragma once

#include <stdbool.h>

#include "video/warp.h"

/* Places are good to 1/64 of a sample: that is all the eye can see, and it keeps the arithmetic in
 * 16 bits. */
enum { FRACTION_BITS = 6, ONE = 1 << FRACTION_BITS, FRACTION_SHIFT = 16 - FRACTION_BITS };

/* One cell of a map, in 1/65536 samples: where its upper left corner comes from and how that
 * changes. */
struct cell {
    int32_t u, v;               /* at the upper left corner */
    int32_t u_down, v_down;     /* over the whole height, at the left */
    int32_t u_across, v_across; /* beyond one sample a sample, over the whole width, at the top */
    int32_t u_twist, v_twist;   /* how much more across at the bottom */
};

/* A share of a whole in 1 << whole_shift parts; rounds down. */
static inline int32_t part_of(int32_t value, int part, int whole_shift)
{
    return (int32_t)(((int64_t)value * part) >> whole_shift);
}

/* Draws a whole tile that is one cell and that moves nearly as one, sixteen pixels at a time.
 * False, and nothing done, where the machine cannot or the motion is another. (u, v): where the
 * tile itself lies, in 1/65536 samples. */
bool warp_whole(const struct plane *from, enum plane_kind kind, const struct cell *cell, int32_t u,
                int32_t v, uint8_t out[TILE * TILE]);
