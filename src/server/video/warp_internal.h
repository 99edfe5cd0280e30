/* SPDX-License-Identifier: Apache-2.0 */
/* What warp.c and warp_fast.c share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "video/warp.h"

/* Places are good to 1/64 of a sample: that is all the eye can see, and it keeps the arithmetic in
 * 16 bits. */
enum { FRACTION_BITS = 6, ONE = 1 << FRACTION_BITS };

/* Eight pixels of a line, and of the lines below it: where the first comes from, how that grows
 * from pixel to pixel, and how both change from line to line; in 1/16384 samples. */
struct eight {
    const uint8_t *origin; /* sample (0, 0) of what it is drawn from */
    int32_t u, v, u_across, v_across;
    int32_t u_down, v_down, u_twist, v_twist;
    uint8_t *out; /* its first line */
};

/* Two of them at once, from planes that lie alike. */
struct eights {
    struct eight at[2];
    int lines, scale;
    ptrdiff_t from_stride, to_stride; /* of `origin` and of `out` */
};

/* False, and nothing done, where the machine cannot or neighbours lie too far apart. */
bool warp_eights(const struct eights *eights);
