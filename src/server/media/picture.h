/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as they pass between stages: 8 bits a channel, sRGB, rows from the top, no padding
 * between pixels. Colour is never premultiplied by alpha. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum { PICTURE_GREY = 1, PICTURE_RGB = 3, PICTURE_RGBA = 4 };

struct picture {
    int width, height; /* pixels; 0 × 0 when there is none */
    int channels;      /* PICTURE_GREY (also: an alpha matte), PICTURE_RGB or PICTURE_RGBA */
    size_t stride;     /* bytes from one row to the next */
    uint8_t *pixels;   /* 64-byte aligned; owned */
};

/* Storage for a picture, not cleared. The stride is a multiple of 64 bytes. */
MUST_USE struct picture picture_new(int width, int height, int channels);
MUST_USE struct picture picture_copy(const struct picture *picture);
/* RGB of any picture: grey is spread, alpha is laid over white. */
MUST_USE struct picture picture_on_white(const struct picture *picture);
void picture_dispose(struct picture *picture);
static inline void picture_dispose_auto(struct picture *picture)
{
    picture_dispose(picture);
}

static inline uint8_t *picture_row(const struct picture *picture, int y)
{
    return picture->pixels + (size_t)y * picture->stride;
}
