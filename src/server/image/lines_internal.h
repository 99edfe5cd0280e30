/* SPDX-License-Identifier: Apache-2.0 */
/* The heart of the guided filter of matte.h: around each cell of a grid the matte is a linear
 * function of colour. */
#pragma once

#include "base/attributes.h"

struct picture;
struct planes;

/* The steps from a mask's value to the matte's: what is below `low` becomes 0, above `high` 1. */
struct stretch {
    float low, high; /* of 1 */
};

/* The planes of the lines: matte = RED × red + GREEN × green + BLUE × blue + OFFSET, all of 255. */
enum { LINE_RED, LINE_GREEN, LINE_BLUE, LINE_OFFSET, LINE_PARTS };

/* Of `colour` (RGB) and `mask` (grey), which are as large as each other. */
MUST_USE struct planes lines_find(const struct picture *colour, const struct picture *mask,
                                  struct stretch stretch);
