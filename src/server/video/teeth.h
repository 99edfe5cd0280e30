/* SPDX-License-Identifier: Apache-2.0 */
/* A row of teeth, drawn once per face: which pixels it covers and how light they are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One jaw's row as the camera sees it, once per pixel of the photo. */
struct teeth {
    int width, height; /* samples */
    float x, y;        /* of the axes' origin (middle, biting edge) in samples */
    uint8_t *cover;    /* 0..255 */
    uint8_t *shade;    /* 0..255: how light */
};

/* `yaw` as in struct face: the arch turns with the head. */
struct teeth teeth_new(bool upper, float px_per_mm, float yaw);
void teeth_dispose(struct teeth *teeth);

struct tooth_hit {
    float cover, shade; /* 0..1 */
};
/* At (x, y) px from the middle of the lips and the row's biting edge; y grows downwards. */
struct tooth_hit teeth_at(const struct teeth *teeth, float x, float y);
