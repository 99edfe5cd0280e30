/* SPDX-License-Identifier: Apache-2.0 */
#include "video/warp.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "video/warp_internal.h"

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

void fetch_lines(const uint8_t *samples, int width, int rows, ptrdiff_t stride)
{
    enum { LINE = 64 };
    for (const volatile uint8_t *row = samples; rows > 0; rows--, row += stride)
        for (int x = 0; x < width; x += LINE)
            (void)row[x];
}

void plane_fetch(const struct plane *plane, struct bounds part)
{
    int pad = plane->pad, scale = plane->scale;
    int left = part.left < -pad ? -pad : part.left, top = part.top < -pad ? -pad : part.top;
    int right = part.right > plane->width + pad ? plane->width + pad : part.right;
    int bottom = part.bottom > plane->height + pad ? plane->height + pad : part.bottom;
    fetch_lines(plane->origin + (ptrdiff_t)(top * scale) * plane->stride + left * scale,
                (right - left) * scale, (bottom - top) * scale, plane->stride);
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

/* --- drawing ------------------------------------------------------------------------------------
 */

/* One cell of a map, in 1/65536 samples: where its upper left corner comes from and how that
 * changes. */
struct cell {
    int32_t u, v;               /* at the upper left corner, in the plane */
    int32_t u_down, v_down;     /* over the whole height, at the left */
    int32_t u_across, v_across; /* beyond one sample a sample, over the whole width, at the top */
    int32_t u_twist, v_twist;   /* how much more across at the bottom */
};

/* A tile of one plane, or of two that lie alike, and how it is cut into cells. */
struct drawing {
    const struct plane *from;
    const struct tile_map *map;
    uint8_t *const *out;
    ptrdiff_t stride;
    int planes;
    int halved;        /* 1 for chroma */
    int left, top;     /* in samples of the frame's plane */
    int width, height; /* to draw */
    int size_shift;    /* of a cell, a side */
};

static struct cell cell_of(const struct drawing *drawing, int column, int row)
{
    /* Displacements are of luma pixels. */
    float unit = (float)drawing->from->scale * 65536 / (float)(1 << drawing->halved);
    const float *x = &drawing->map->dx[row][column], *y = &drawing->map->dy[row][column];
    const float *next_x = x + TILE_CELLS + 1, *next_y = y + TILE_CELLS + 1;
    struct cell cell = {.u = (int32_t)(x[0] * unit), .v = (int32_t)(y[0] * unit)};
    cell.u_down = (int32_t)(next_x[0] * unit) - cell.u;
    cell.v_down = (int32_t)(next_y[0] * unit) - cell.v;
    cell.u_across = (int32_t)(x[1] * unit) - cell.u;
    cell.v_across = (int32_t)(y[1] * unit) - cell.v;
    cell.u_twist = (int32_t)(next_x[1] * unit) - (int32_t)(next_x[0] * unit) - cell.u_across;
    cell.v_twist = (int32_t)(next_y[1] * unit) - (int32_t)(next_y[0] * unit) - cell.v_across;
    int32_t step = drawing->from->scale * 65536;
    cell.u += (drawing->left + (column << drawing->size_shift)) * step;
    cell.v += (drawing->top + (row << drawing->size_shift)) * step;
    return cell;
}

static struct tile_map corners_of(const struct tile_map *map)
{
    struct tile_map out = {.cells = 1};
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            out.dx[j][i] = map->dx[j * map->cells][i * map->cells];
            out.dy[j][i] = map->dy[j * map->cells][i * map->cells];
        }
    return out;
}

/* --- two eights at once -------------------------------------------------------------------------
 */

/* A share of a difference over a cell, in 1/16384 samples. */
static inline int32_t quarter_of(int32_t value, int shift)
{
    return (value + (2 << shift)) >> (shift + 2);
}

/* Eight pixels of a cell and below, from a place in it on. */
static struct eight eight_of(const struct drawing *drawing, const struct cell *cell, int across,
                             int down)
{
    int shift = drawing->size_shift;
    int32_t step = drawing->from->scale << 14;
    struct eight eight = {
        .origin = drawing->from->origin,
        .u_down = quarter_of(cell->u_down, shift),
        .v_down = quarter_of(cell->v_down, shift),
        .u_across = quarter_of(cell->u_across, shift),
        .v_across = quarter_of(cell->v_across, shift),
        .u_twist = quarter_of(cell->u_twist, 2 * shift),
        .v_twist = quarter_of(cell->v_twist, 2 * shift),
    };
    /* A sample of chroma lies half a row of luma, a quarter of its own, below an even one. */
    eight.u = (cell->u >> 2) + across * (eight.u_across + step) + down * eight.u_down +
              (drawing->halved ? eight.u_down / 4 : 0);
    eight.v = (cell->v >> 2) + across * eight.v_across + down * (eight.v_down + step) +
              (drawing->halved ? eight.v_down / 4 : 0);
    eight.u_across += down * eight.u_twist;
    eight.v_across += down * eight.v_twist;
    eight.u_down += across * eight.u_twist;
    eight.v_down += across * eight.v_twist + step;
    return eight;
}

/* Whole tiles in cells of eight samples a side or more. */
static bool draw_eights(const struct drawing *drawing)
{
    enum { EIGHT = 8 };
    const struct plane *from = drawing->from;
    uint8_t *out = drawing->out[0];
    struct eights eights = {.scale = from->scale,
                            .from_stride = from->stride,
                            .to_stride = drawing->stride,
                            .lines = 1 << drawing->size_shift};
    if (drawing->halved) {
        struct cell cell = cell_of(drawing, 0, 0);
        eights.at[0] = eights.at[1] = eight_of(drawing, &cell, 0, 0);
        eights.at[0].out = out;
        if (drawing->planes == 2) {
            eights.at[1].origin = from[1].origin;
            eights.at[1].out = drawing->out[1];
            return warp_eights(&eights);
        }
        eights.lines /= 2; /* one plane: its lower half beside the upper one */
        eights.at[1] = eight_of(drawing, &cell, 0, eights.lines);
        eights.at[1].out = out + eights.lines * drawing->stride;
        return warp_eights(&eights);
    }
    int cells = drawing->map->cells;
    for (int row = 0; row < cells; row++) {
        struct cell left = cell_of(drawing, 0, row), right = left;
        if (cells == 2)
            right = cell_of(drawing, 1, row);
        eights.at[0] = eight_of(drawing, &left, 0, 0);
        eights.at[1] = eight_of(drawing, &right, cells == 2 ? 0 : EIGHT, 0);
        eights.at[0].out = out + row * EIGHT * drawing->stride;
        eights.at[1].out = eights.at[0].out + EIGHT;
        if (!warp_eights(&eights))
            return false;
    }
    return true;
}

/* --- one pixel after the other ------------------------------------------------------------------
 */

/* A straight line through a plane, in 1/65536 samples. */
struct run {
    int32_t u, v, du, dv;
};

static inline int fraction(int32_t at)
{
    return (at >> (16 - FRACTION_BITS)) & (ONE - 1);
}

/* Agrees with warp_eights but for the last bit of a place. */
static void draw_run(const struct plane *from, struct run run, uint8_t *out, int count)
{
    for (int i = 0; i < count; i++, run.u += run.du, run.v += run.dv) {
        const uint8_t *at = from->origin + (ptrdiff_t)(run.v >> 16) * from->stride + (run.u >> 16);
        const uint8_t *below = at + from->stride;
        int fu = fraction(run.u), fv = fraction(run.v);
        int upper = at[0] * (ONE - fu) + at[1] * fu;
        int lower = below[0] * (ONE - fu) + below[1] * fu;
        int value = upper + (((lower - upper) * (fv << 9) + (1 << 14)) >> 15);
        out[i] = (uint8_t)((value + ONE / 2) >> FRACTION_BITS);
    }
}

/* A share of a whole in 1 << whole_shift parts; rounds down. */
static inline int32_t part_of(int32_t value, int part, int whole_shift)
{
    return (int32_t)(((int64_t)value * part) >> whole_shift);
}

static void draw_cell(const struct drawing *drawing, int plane, int column, int row)
{
    struct cell cell = cell_of(drawing, column, row);
    int shift = drawing->size_shift, size = 1 << shift;
    int left = column << shift, top = row << shift;
    int width = drawing->width - left < size ? drawing->width - left : size;
    int height = drawing->height - top < size ? drawing->height - top : size;
    int32_t step = drawing->from->scale * 65536;
    for (int y = 0; y < height; y++) {
        int quarters = 4 * y + drawing->halved;
        struct run line = {
            cell.u + part_of(cell.u_down, quarters, shift + 2),
            cell.v + y * step + part_of(cell.v_down, quarters, shift + 2),
            step + ((cell.u_across + part_of(cell.u_twist, quarters, shift + 2)) >> shift),
            (cell.v_across + part_of(cell.v_twist, quarters, shift + 2)) >> shift};
        draw_run(&drawing->from[plane], line,
                 drawing->out[plane] + (top + y) * drawing->stride + left, width);
    }
}

static void draw(const struct tile *tile, struct drawing *drawing)
{
    /* The eye does not see that colour follows a coarser map; only around the lips it might. */
    struct tile_map coarse;
    if (drawing->halved && drawing->map->cells == 2) {
        coarse = corners_of(drawing->map);
        drawing->map = &coarse;
    }
    int halved = drawing->halved, cells = drawing->map->cells, side = TILE >> halved;
    drawing->left = tile->x >> halved;
    drawing->top = tile->y >> halved;
    drawing->width = tile->width >> halved;
    drawing->height = tile->height >> halved;
    drawing->size_shift = __builtin_ctz((unsigned)(side / cells));
    if (cells <= 2 && drawing->width == side && drawing->height == side && draw_eights(drawing))
        return;
    for (int plane = 0; plane < drawing->planes; plane++)
        for (int row = 0; row < cells && row << drawing->size_shift < drawing->height; row++)
            for (int column = 0; column < cells && column << drawing->size_shift < drawing->width;
                 column++)
                draw_cell(drawing, plane, column, row);
}

void warp_tile(const struct plane *from, enum plane_kind kind, const struct tile *tile,
               const struct tile_map *map, uint8_t *out, ptrdiff_t stride)
{
    struct drawing drawing = {.from = from,
                              .map = map,
                              .out = &out,
                              .stride = stride,
                              .planes = 1,
                              .halved = kind == PLANE_CHROMA};
    draw(tile, &drawing);
}

void warp_colour(const struct plane from[2], const struct tile *tile, const struct tile_map *map,
                 uint8_t *const out[2], ptrdiff_t stride)
{
    struct drawing drawing = {
        .from = from, .map = map, .out = out, .stride = stride, .planes = 2, .halved = 1};
    draw(tile, &drawing);
}
