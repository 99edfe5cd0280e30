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

/* --- the inner loop ----------------------------------------------------------------------------
 */

/* A straight line through a plane, in 1/65536 samples. */
struct run {
    int32_t u, v, du, dv;
};

/* The two versions below agree but for the last bit of a place. */

static inline int fraction(int32_t at)
{
    return (at >> FRACTION_SHIFT) & (ONE - 1);
}

static void run_plain(const struct plane *from, struct run run, uint8_t *out, int count)
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

#if defined(__x86_64__)

#include <immintrin.h>

#define FAST __attribute__((target("avx2")))

/* Nearly all of a picture moves nearly as one: then eight neighbours come from eight neighbours,
 * but for one place where they may slip by a sample, across or down, because the motion grows. So
 * both possibilities are computed and each lane takes its own: no branch to guess wrong. */
enum { LANES = 8, NEARLY = 9000 };

struct slip {
    int first;      /* whole samples on the smaller side of the slip: 0 or -1 */
    __m128i before; /* lanes that are still at `first` */
    __m128i share;  /* fractions */
};

/* `at` is the fraction of a sample at lane 0, `step` the growth from lane to lane. */
FAST static inline struct slip slip_of(int32_t at, int32_t step)
{
    const __m128i lanes = _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0);
    /* In quarters of a unit everything fits 16 bits. */
    __m128i grown = _mm_mullo_epi16(lanes, _mm_set1_epi16((short)(step >> 2)));
    __m128i place = _mm_add_epi16(grown, _mm_set1_epi16((short)(at >> 2)));
    place = _mm_srai_epi16(place, 14 - FRACTION_BITS);
    struct slip slip = {.first = ((at >> 2) + 7 * (step >> 2)) >> 31};
    slip.before =
        _mm_cmpeq_epi16(_mm_srai_epi16(place, FRACTION_BITS), _mm_set1_epi16((short)slip.first));
    slip.share = _mm_and_si128(place, _mm_set1_epi16(ONE - 1));
    return slip;
}

FAST static inline __m128i pairs_at(const uint8_t *row, int scale)
{
    __m128i samples = _mm_loadu_si128((const __m128i *)row);
    return scale == 2 ? samples : _mm_unpacklo_epi8(samples, _mm_srli_si128(samples, 1));
}

FAST static inline __m128i near_row(const uint8_t *row, int scale, __m128i before, __m128i weights)
{
    return _mm_blendv_epi8(_mm_maddubs_epi16(pairs_at(row + 1, scale), weights),
                           _mm_maddubs_epi16(pairs_at(row, scale), weights), before);
}

FAST static inline void run_near(const struct plane *from, struct run run, int scale, uint8_t *out)
{
    struct slip across = slip_of(run.u & 0xffff, run.du - scale * 65536);
    struct slip down = slip_of(run.v & 0xffff, run.dv);
    const uint8_t *row = from->origin + (ptrdiff_t)((run.v >> 16) + down.first) * from->stride +
                         (run.u >> 16) + across.first;
    __m128i weights = _mm_or_si128(_mm_sub_epi16(_mm_set1_epi16(ONE), across.share),
                                   _mm_slli_epi16(across.share, 8));
    __m128i first = near_row(row, scale, across.before, weights);
    __m128i second = near_row(row + from->stride, scale, across.before, weights);
    __m128i third = near_row(row + 2 * (ptrdiff_t)from->stride, scale, across.before, weights);
    __m128i upper = _mm_blendv_epi8(second, first, down.before);
    __m128i lower = _mm_blendv_epi8(third, second, down.before);
    __m128i fv = _mm_slli_epi16(down.share, 9);
    __m128i value = _mm_add_epi16(upper, _mm_mulhrs_epi16(_mm_sub_epi16(lower, upper), fv));
    value = _mm_srli_epi16(_mm_add_epi16(value, _mm_set1_epi16(ONE / 2)), FRACTION_BITS);
    _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(value, value));
}

FAST static void run_fast(const struct plane *from, struct run run, uint8_t *out, int count)
{
    for (; count >= LANES; count -= LANES, out += LANES) {
        if (from->scale == 2)
            run_near(from, run, 2, out);
        else
            run_near(from, run, 1, out);
        run.u += LANES * run.du;
        run.v += LANES * run.dv;
    }
    run_plain(from, run, out, count);
}

static bool is_near(int32_t step)
{
    return step > -NEARLY && step < NEARLY;
}

static void warp_run(const struct plane *from, struct run run, uint8_t *out, int count)
{
    if (count >= LANES && is_near(run.du - from->scale * 65536) && is_near(run.dv) &&
        __builtin_cpu_supports("avx2"))
        run_fast(from, run, out, count);
    else
        run_plain(from, run, out, count);
}

#else

static void warp_run(const struct plane *from, struct run run, uint8_t *out, int count)
{
    run_plain(from, run, out, count);
}

#endif

static struct cell cell_of(const struct tile_map *map, int column, int row, float unit)
{
    const float *x = &map->dx[row][column], *y = &map->dy[row][column];
    const float *next_x = x + TILE_CELLS + 1, *next_y = y + TILE_CELLS + 1;
    struct cell cell = {.u = (int32_t)(x[0] * unit), .v = (int32_t)(y[0] * unit)};
    cell.u_down = (int32_t)(next_x[0] * unit) - cell.u;
    cell.v_down = (int32_t)(next_y[0] * unit) - cell.v;
    cell.u_across = (int32_t)(x[1] * unit) - cell.u;
    cell.v_across = (int32_t)(y[1] * unit) - cell.v;
    cell.u_twist = (int32_t)((next_x[1] - next_x[0]) * unit) - cell.u_across;
    cell.v_twist = (int32_t)((next_y[1] - next_y[0]) * unit) - cell.v_across;
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

void warp_tile(const struct plane *from, enum plane_kind kind, const struct tile *tile,
               const struct tile_map *map, uint8_t out[TILE * TILE])
{
    /* The eye does not see that colour follows a coarser map; only around the lips it might. */
    struct tile_map coarse;
    if (kind == PLANE_CHROMA && map->cells == 2) {
        coarse = corners_of(map);
        map = &coarse;
    }
    int halved = kind == PLANE_CHROMA, cells = map->cells;
    int side = TILE >> halved, size = side / cells;
    int size_shift = __builtin_ctz((unsigned)size), quarter_shift = size_shift + 2;
    int width = tile->width >> halved, height = tile->height >> halved;
    /* Displacements are of luma pixels; a sample of chroma lies half a row of luma, a quarter of
     * its own, below an even one. */
    float unit = (float)from->scale * 65536 / (float)(1 << halved);
    int32_t step = from->scale * 65536;
    if (cells == 1 && width == side && height == side) {
        struct cell cell = cell_of(map, 0, 0, unit);
        if (warp_whole(from, kind, &cell, (tile->x >> halved) * step, (tile->y >> halved) * step,
                       out))
            return;
    }
    for (int row = 0; row < cells && row * size < height; row++)
        for (int column = 0; column < cells && column * size < width; column++) {
            struct cell cell = cell_of(map, column, row, unit);
            int32_t left = ((tile->x >> halved) + column * size) * step + cell.u;
            int run = width - column * size < size ? width - column * size : size;
            for (int y = 0; y < size && row * size + y < height; y++) {
                int at = row * size + y, quarters = 4 * y + halved;
                struct run line = {
                    left + part_of(cell.u_down, quarters, quarter_shift),
                    ((tile->y >> halved) + at) * step + cell.v +
                        part_of(cell.v_down, quarters, quarter_shift),
                    step + ((cell.u_across + part_of(cell.u_twist, quarters, quarter_shift)) >>
                            size_shift),
                    (cell.v_across + part_of(cell.v_twist, quarters, quarter_shift)) >> size_shift};
                warp_run(from, line, out + at * TILE + column * size, run);
            }
        }
}
