/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing a tile of a frame from another place of a picture. This is where the time goes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "media/picture.h"
#include "video/renderer.h"

enum {
    TILE = 16,       /* luma pixels a side */
    TILE_CELLS = 4,  /* at most, a side */
    SOURCE_PAD = 32, /* pixels that a source goes on beyond its edge */
    /* How far beyond it a map may lead: two rows below a sample are read along with it, and a row
     * of chroma is two of luma. */
    SOURCE_REACH = SOURCE_PAD - 6,
};

/* One plane to read from, with its edges repeated all around. */
struct plane {
    int width, height, pad;
    int scale;  /* samples per pixel a side: luma is kept twice as fine, so that what moves by
                   parts of a pixel stays sharp */
    int stride; /* in samples */
    uint8_t *block;
    const uint8_t *origin; /* sample (0, 0) */
};

struct plane plane_from(const uint8_t *samples, int width, int height, int stride, int pad);
/* The same, twice as fine. The even samples are the given ones. */
struct plane plane_doubled_from(const uint8_t *samples, int width, int height, int stride, int pad);
void plane_dispose(struct plane *plane);

struct bounds {
    int left, top, right, bottom; /* pixels; right and bottom are outside */
};

/* Reads line by line what lies so in memory, so that tiles find it near: they themselves jump from
 * line to line, which no machine foresees. */
void fetch_lines(const uint8_t *samples, int width, int rows, ptrdiff_t stride);
/* The same for a part of a plane, as far as there is one. */
void plane_fetch(const struct plane *plane, struct bounds part);

/* What a tile is drawn from: colour, and how much of it covers what is there (or no plane). */
struct source {
    struct plane luma, chroma[2];
    struct plane alpha, chroma_alpha;
};
/* `alpha` grey of the same size, or NULL. */
void source_init(struct source *source, const struct frame420 *colour, const struct picture *alpha);
void source_dispose(struct source *source);

/* How far from a place in the tile its source lies, in luma pixels, at the corners of cells × cells
 * equal cells; nowhere more than SOURCE_REACH beyond the source's edge. */
struct tile_map {
    int cells; /* 1, 2 or 4 */
    float dx[TILE_CELLS + 1][TILE_CELLS + 1], dy[TILE_CELLS + 1][TILE_CELLS + 1];
};

/* The part of a frame that is drawn: width and height at most TILE, even. */
struct tile {
    int x, y, width, height;
};

enum plane_kind { PLANE_LUMA, PLANE_CHROMA };

/* Draws the tile of `from` to `out`, whose lines lie `stride` apart. */
void warp_tile(const struct plane *from, enum plane_kind kind, const struct tile *tile,
               const struct tile_map *map, uint8_t *out, ptrdiff_t stride);
/* The same for both planes of colour, which must be of one size. */
void warp_colour(const struct plane from[2], const struct tile *tile, const struct tile_map *map,
                 uint8_t *const out[2], ptrdiff_t stride);

/* One sample, 0..255, at a place in pixels of the plane; beyond its edges they go on for ever. */
static inline float plane_at(const struct plane *plane, float x, float y)
{
    float most = (float)plane->pad - 2, right = (float)plane->width + most - 1;
    float bottom = (float)plane->height + most - 1;
    x = x < -most ? -most : x > right ? right : x;
    y = y < -most ? -most : y > bottom ? bottom : y;
    enum { NEVER_NEGATIVE = 1 << 16 };
    float unit = (float)(plane->scale << 8);
    int u = (int)(x * unit + NEVER_NEGATIVE) - NEVER_NEGATIVE;
    int v = (int)(y * unit + NEVER_NEGATIVE) - NEVER_NEGATIVE;
    const uint8_t *at = plane->origin + (v >> 8) * plane->stride + (u >> 8);
    const uint8_t *below = at + plane->stride;
    int fu = u & 255, fv = v & 255;
    int upper = at[0] * (256 - fu) + at[1] * fu, lower = below[0] * (256 - fu) + below[1] * fu;
    return (float)(upper * (256 - fv) + lower * fv) * (1.0f / 65536);
}
