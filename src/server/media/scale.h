/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a picture's size and softness. Pure functions. */
#pragma once

#include "media/picture.h"

/* The middle of the picture with the proportions of width × height, at that size. Channels
 * stay. */
MUST_USE struct picture picture_cover(const struct picture *picture, int width, int height);

/* Blurs as three boxes of 2 × radius + 1 do, nearly a Gaussian, in place. */
void picture_blur(struct picture *picture, int radius);
