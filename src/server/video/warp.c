/* SPDX-License-Identifier: Apache-2.0 */
#include "video/warp.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct plane plane_new(int width, int height, int pad, int scale)
{
    struct plane plane = {.width = width, .height = height, .pad = pad, .scale = scale};
    plane.stride = (width + 2 * pad) * scale;
    size_t size = (size_t)plane.stride * (size_t)((height + 2 * pad) * scale);
    plane.block = xmalloc(size + 64);
    plane.origin = plane.block + (size_t)plane.stride * (size_t)(pad * scale) + pad * scale;
    return plane;
}

static uint8_t *row_of(const struct plane *plane, int y)
{
    ptrdiff_t start = plane->origin - plane->block;
    return plane->block + start + (ptrdiff_t)y * plane->stride;
}

static void repeat_edges(const struct plane *plane)
{
    int width = plane->width * plane->scale, height = plane->height * plane->scale;
    int pad = plane->pad * plane->scale;
    for (int y = 0; y < height; y++) {
        uint8_t *row = row_of(plane, y);
        memset(row - pad, row[0], (size_t)pad);
        memset(row + width, row[width - 1], (size_t)pad);
    }
    for (int y = 1; y <= pad; y++) {
        memcpy(row_of(plane, -y) - pad, row_of(plane, 0) - pad, (size_t)plane->stride);
        memcpy(row_of(plane, height - 1 + y) - pad, row_of(plane, height - 1) - pad,
               (size_t)plane->stride);
    }
}

struct plane plane_from(const uint8_t *samples, int width, int height, int stride, int pad)
{
    struct plane plane = plane_new(width, height, pad, 1);
    for (int y = 0; y < height; y++)
        memcpy(row_of(&plane, y), samples + (ptrdiff_t)y * stride, (size_t)width);
    repeat_edges(&plane);
    return plane;
}

/* The sample half-way between c and d: six taps, as H.264 does it. */
static inline uint8_t half_way(int a, int b, int c, int d, int e, int f)
{
    int sum = (a + f - 5 * (b + e) + 20 * (c + d) + 16) >> 5;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

struct plane plane_doubled_from(const uint8_t *samples, int width, int height, int stride, int pad)
{
    enum { TAPS_BEFORE = 2, TAPS_AFTER = 3 };
    struct plane once = plane_from(samples, width, height, stride, pad);
    struct plane plane = plane_new(width, height, pad, 2);
    int from = -pad, to = width + pad;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = row_of(&once, y);
        uint8_t *out = row_of(&plane, 2 * y);
        for (int x = from; x < to; x++)
            out[2 * x] = out[2 * x + 1] = row[x];
        for (int x = from + TAPS_BEFORE; x < to - TAPS_AFTER; x++)
            out[2 * x + 1] =
                half_way(row[x - 2], row[x - 1], row[x], row[x + 1], row[x + 2], row[x + 3]);
    }
    repeat_edges(&plane); /* so that the taps below find rows beyond the edge */
    for (int y = 0; y < height; y++) {
        const uint8_t *row[6];
        for (int tap = 0; tap < 6; tap++) {
            int at = y + tap - TAPS_BEFORE;
            at = at < 0 ? 0 : at >= height ? height - 1 : at;
            row[tap] = row_of(&plane, 2 * at) - pad * 2;
        }
        uint8_t *out = row_of(&plane, 2 * y + 1) - pad * 2;
        for (int x = 0; x < plane.stride; x++)
            out[x] = half_way(row[0][x], row[1][x], row[2][x], row[3][x], row[4][x], row[5][x]);
    }
    repeat_edges(&plane);
    plane_dispose(&once);
    return plane;
}

void plane_dispose(struct plane *plane)
{
    free(plane->block);
    *plane = (struct plane){0};
}

void source_init(struct source *source, const struct frame420 *colour, const struct picture *alpha)
{
    int width = colour->width, height = colour->height;
    *source = (struct source){0};
    source->luma =
        plane_doubled_from(colour->planes[0], width, height, colour->strides[0], SOURCE_PAD);
    for (int i = 0; i < 2; i++)
        source->chroma[i] = plane_from(colour->planes[1 + i], width / 2, height / 2,
                                       colour->strides[1 + i], SOURCE_PAD / 2);
    if (!alpha)
        return;
    source->alpha = plane_from(alpha->pixels, width, height, (int)alpha->stride, SOURCE_PAD);
    struct picture half = picture_new(width / 2, height / 2, PICTURE_GREY);
    for (int y = 0; y < height / 2; y++)
        for (int x = 0; x < width / 2; x++) {
            const uint8_t *upper = picture_row(alpha, 2 * y) + 2 * x;
            const uint8_t *lower = picture_row(alpha, 2 * y + 1) + 2 * x;
            int left = x > 0 ? -1 : 0;
            int sum = upper[left] + lower[left] + 2 * (upper[0] + lower[0]) + upper[1] + lower[1];
            picture_row(&half, y)[x] = (uint8_t)((sum + 4) >> 3);
        }
    source->chroma_alpha =
        plane_from(half.pixels, width / 2, height / 2, (int)half.stride, SOURCE_PAD / 2);
    picture_dispose(&half);
}

void source_dispose(struct source *source)
{
    plane_dispose(&source->luma);
    plane_dispose(&source->chroma[0]);
    plane_dispose(&source->chroma[1]);
    plane_dispose(&source->alpha);
    plane_dispose(&source->chroma_alpha);
}

/* A run of samples along a straight line: u, v in 1/65536 samples. */
static inline void warp_run(const struct plane *from, int32_t u, int32_t v, int32_t du, int32_t dv,
                            uint8_t *out, int count)
{
    for (int i = 0; i < count; i++, u += du, v += dv) {
        const uint8_t *at = from->origin + (ptrdiff_t)(v >> 16) * from->stride + (u >> 16);
        const uint8_t *below = at + from->stride;
        int fu = (u >> 8) & 255, fv = (v >> 8) & 255;
        int upper = at[0] * (256 - fu) + at[1] * fu;
        int lower = below[0] * (256 - fu) + below[1] * fu;
        out[i] = (uint8_t)((upper * (256 - fv) + lower * fv + 32768) >> 16);
    }
}

void warp_tile(const struct plane *from, enum plane_kind kind, const struct tile *tile,
               const struct tile_map *map, uint8_t out[TILE * TILE])
{
    int halved = kind == PLANE_CHROMA;
    int side = TILE >> halved, cell = side / map->cells;
    int width = tile->width >> halved, height = tile->height >> halved;
    /* Displacements are of luma pixels; a sample of chroma lies half a row below an even one. */
    float unit = (float)from->scale * 65536 / (float)(1 << halved);
    float row_offset = halved ? 0.25f : 0;
    int32_t x0 = (tile->x >> halved) * from->scale * 65536;
    int32_t y0 = (tile->y >> halved) * from->scale * 65536;
    int32_t step = from->scale * 65536;
    for (int y = 0; y < height; y++) {
        int j = y / cell;
        float down = ((float)(y - j * cell) + row_offset) / (float)cell;
        for (int i = 0; i * cell < width; i++) {
            const float *dx = &map->dx[j][i], *dy = &map->dy[j][i];
            enum { NEXT_ROW = TILE_CELLS + 1 };
            float left_x = dx[0] + (dx[NEXT_ROW] - dx[0]) * down;
            float right_x = dx[1] + (dx[NEXT_ROW + 1] - dx[1]) * down;
            float left_y = dy[0] + (dy[NEXT_ROW] - dy[0]) * down;
            float right_y = dy[1] + (dy[NEXT_ROW + 1] - dy[1]) * down;
            int32_t u = x0 + i * cell * step + (int32_t)(left_x * unit);
            int32_t v = y0 + y * step + (int32_t)(left_y * unit);
            float per = unit / (float)cell;
            int run = width - i * cell < cell ? width - i * cell : cell;
            warp_run(from, u, v, step + (int32_t)((right_x - left_x) * per),
                     (int32_t)((right_y - left_y) * per), out + y * TILE + i * cell, run);
        }
    }
}
