/* SPDX-License-Identifier: Apache-2.0 */
/* Means over a square of cells, from sums that run down the columns: the next row is added, the one
 * that left the square is taken away. Products of bytes are whole numbers, so nothing is lost by
 * that however far it runs. Two such means follow each other, row by row, so that all there is to
 * be remembered between them stays in the cache. */
#include "image/lines_internal.h"

#include <string.h>

#include "base/mem.h"
#include "image/planes.h"
#include "media/hot.h"
#include "media/picture.h"

enum { RADIUS = 2, ACROSS = 2 * RADIUS + 1 };
static const float epsilon = 4e-4f * 255 * 255;

/* Colour, matte, their products. */
enum { R, G, B, P, SINGLE, RP = SINGLE, GP, BP, RR, RG, RB, GG, GB, BB, MEANS };

static const int products[MEANS][2] = {
    [RP] = {R, P}, [GP] = {G, P}, [BP] = {B, P}, [RR] = {R, R}, [RG] = {R, G},
    [RB] = {R, B}, [GG] = {G, G}, [GB] = {G, B}, [BB] = {B, B}};

struct finder {
    const struct picture *colour, *mask;
    int width, height;
    size_t pitch;  /* width and the edge on both sides, which stays 0 */
    uint8_t *rows; /* R, G, B and P of the last ACROSS + 1 rows, and one row of zeros */
    int32_t *sums; /* MEANS columns' sums */
    float *means;  /* MEANS rows */
    float *recent; /* the lines of the last ACROSS rows */
    float *column; /* a row of sums of these */
    float *across; /* for each column: 1 / how many columns its square has */
    struct stretch stretch;
    struct planes *lines;
};

static struct finder finder_make(const struct picture *colour, const struct picture *mask,
                                 struct planes *lines)
{
    size_t width = (size_t)colour->width, pitch = width + 2 * RADIUS;
    struct finder finder = {
        .colour = colour,
        .mask = mask,
        .width = colour->width,
        .height = colour->height,
        .pitch = pitch,
        .rows = xcalloc((ACROSS + 2) * SINGLE * width, 1),
        .sums = xcalloc(MEANS * pitch, sizeof(int32_t)),
        .means = xmalloc(MEANS * width * sizeof(float)),
        .recent = xcalloc((size_t)ACROSS * LINE_PARTS * pitch, sizeof(float)),
        .column = xcalloc(pitch, sizeof(float)),
        .across = xmalloc(width * sizeof(float)),
        .lines = lines,
    };
    for (int x = 0; x < finder.width; x++) {
        int from = x < RADIUS ? 0 : x - RADIUS;
        int to = x + RADIUS < finder.width ? x + RADIUS : finder.width - 1;
        finder.across[x] = 1.0f / (float)(to - from + 1);
    }
    return finder;
}

static void finder_dispose_auto(const struct finder *finder)
{
    free(finder->rows);
    free(finder->sums);
    free(finder->means);
    free(finder->recent);
    free(finder->column);
    free(finder->across);
}

/* R, G, B and P of row y; zeros when there is none. */
static uint8_t *row_at(const struct finder *finder, int y)
{
    size_t slot = y < 0 || y >= finder->height ? ACROSS + 1 : (size_t)y % (ACROSS + 1);
    return finder->rows + slot * SINGLE * (size_t)finder->width;
}

HOT static void row_split(const uint8_t *restrict colour, uint8_t *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        out[x] = colour[3 * x];
        out[width + x] = colour[3 * x + 1];
        out[2 * width + x] = colour[3 * x + 2];
    }
}

static void row_take(const struct finder *finder, int y)
{
    uint8_t *row = row_at(finder, y);
    size_t width = (size_t)finder->width;
    row_split(picture_row(finder->colour, y), row, finder->width);
    memcpy(row + P * width, picture_row(finder->mask, y), width);
}

HOT static void slide_single(int32_t *restrict sums, const uint8_t *restrict in,
                             const uint8_t *restrict out, int width)
{
    for (int x = 0; x < width; x++)
        sums[x] += in[x] - out[x];
}

/* `factors`: how many bytes behind `in` and `out` the rows lie that are multiplied. */
HOT static void slide_product(int32_t *restrict sums, const uint8_t *restrict in,
                              const uint8_t *restrict out, const ptrdiff_t factors[2], int width)
{
    const uint8_t *in_a = in + factors[0], *in_b = in + factors[1];
    const uint8_t *out_a = out + factors[0], *out_b = out + factors[1];
    for (int x = 0; x < width; x++) {
        uint16_t more = (uint16_t)(in_a[x] * in_b[x]), less = (uint16_t)(out_a[x] * out_b[x]);
        sums[x] += (int)more - (int)less;
    }
}

/* The sums become those around row y, from those around the one before. */
static void sums_slide(const struct finder *finder, int y)
{
    const uint8_t *in = row_at(finder, y + RADIUS), *out = row_at(finder, y - RADIUS - 1);
    for (int i = 0; i < SINGLE; i++)
        slide_single(finder->sums + (size_t)i * finder->pitch + RADIUS, in + i * finder->width,
                     out + i * finder->width, finder->width);
    for (int i = SINGLE; i < MEANS; i++) {
        const ptrdiff_t factors[2] = {products[i][0] * (ptrdiff_t)finder->width,
                                      products[i][1] * (ptrdiff_t)finder->width};
        slide_product(finder->sums + (size_t)i * finder->pitch + RADIUS, in, out, factors,
                      finder->width);
    }
}

HOT static void mean_of_whole(const int32_t *restrict sums, const float *restrict across,
                              float rows, float *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        int sum = sums[x] + sums[x + 1] + sums[x + 2] + sums[x + 3] + sums[x + 4];
        out[x] = (float)sum * (across[x] * rows);
    }
}

HOT static void mean_of_real(const float *restrict sums, const float *restrict across, float rows,
                             float *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        float sum = sums[x] + sums[x + 1] + sums[x + 2] + sums[x + 3] + sums[x + 4];
        out[x] = sum * (across[x] * rows);
    }
}

/* The line's slope and offset at one cell, from its neighbourhood's means. */
static inline void solve(const float m[MEANS], float out[LINE_PARTS])
{
    float rr = m[RR] - m[R] * m[R] + epsilon, rg = m[RG] - m[R] * m[G];
    float rb = m[RB] - m[R] * m[B], gg = m[GG] - m[G] * m[G] + epsilon;
    float gb = m[GB] - m[G] * m[B], bb = m[BB] - m[B] * m[B] + epsilon;
    float cr = m[RP] - m[R] * m[P], cg = m[GP] - m[G] * m[P], cb = m[BP] - m[B] * m[P];
    /* The inverse of a symmetric 3 × 3 matrix by its cofactors. */
    float irr = gg * bb - gb * gb, irg = gb * rb - rg * bb, irb = rg * gb - gg * rb;
    float igg = rr * bb - rb * rb, igb = rb * rg - rr * gb, ibb = rr * gg - rg * rg;
    float scale = 1 / (rr * irr + rg * irg + rb * irb);
    out[LINE_RED] = (irr * cr + irg * cg + irb * cb) * scale;
    out[LINE_GREEN] = (irg * cr + igg * cg + igb * cb) * scale;
    out[LINE_BLUE] = (irb * cr + igb * cg + ibb * cb) * scale;
    out[LINE_OFFSET] = m[P] - out[LINE_RED] * m[R] - out[LINE_GREEN] * m[G] - out[LINE_BLUE] * m[B];
}

/* `pitch` numbers from one part's row to the next one's. */
HOT static void lines_row(const float *restrict means, float *restrict lines, size_t pitch,
                          int width)
{
    for (int x = 0; x < width; x++) {
        float m[MEANS], line[LINE_PARTS];
        for (int i = 0; i < MEANS; i++)
            m[i] = means[i * width + x];
        solve(m, line);
        for (size_t i = 0; i < LINE_PARTS; i++)
            lines[i * pitch + (size_t)x] = line[i];
    }
}

static int rows_around(const struct finder *finder, int y)
{
    int from = y < RADIUS ? 0 : y - RADIUS;
    int to = y + RADIUS < finder->height ? y + RADIUS : finder->height - 1;
    return to - from + 1;
}

static float *recent_row(const struct finder *finder, int y, int part)
{
    return finder->recent + ((size_t)(y % ACROSS) * LINE_PARTS + (size_t)part) * finder->pitch;
}

/* The lines at row y, from the sums around it. */
static void row_solve(const struct finder *finder, int y)
{
    float rows = 1.0f / (float)rows_around(finder, y);
    for (int i = 0; i < MEANS; i++)
        mean_of_whole(finder->sums + (size_t)i * finder->pitch, finder->across, rows,
                      finder->means + i * finder->width, finder->width);
    lines_row(finder->means, recent_row(finder, y, 0) + RADIUS, finder->pitch, finder->width);
}

HOT static void row_add(float *restrict sums, const float *restrict row, int width)
{
    for (int x = 0; x < width; x++)
        sums[x] += row[x];
}

HOT static void row_stretch(float *restrict row, float gain, float shift, int width)
{
    for (int x = 0; x < width; x++)
        row[x] = row[x] * gain + shift;
}

/* The mean of the lines around row y, the last of which have just been solved; stretched. */
static void row_finish(const struct finder *finder, int y)
{
    float gain = 1 / (finder->stretch.high - finder->stretch.low);
    float shift = -finder->stretch.low * gain * 255, rows = 1.0f / (float)rows_around(finder, y);
    int from = y < RADIUS ? 0 : y - RADIUS;
    for (int part = 0; part < LINE_PARTS; part++) {
        float *out = planes_row(finder->lines, part, y);
        memcpy(finder->column, recent_row(finder, from, part), finder->pitch * sizeof(float));
        for (int i = from + 1; i <= y + RADIUS && i < finder->height; i++)
            row_add(finder->column + RADIUS, recent_row(finder, i, part) + RADIUS, finder->width);
        mean_of_real(finder->column, finder->across, rows, out, finder->width);
        row_stretch(out, gain, part == LINE_OFFSET ? shift : 0, finder->width);
    }
}

struct planes lines_find(const struct picture *colour, const struct picture *mask,
                         struct stretch stretch)
{
    struct planes lines = planes_new(LINE_PARTS, colour->width, colour->height);
    AUTO(finder_dispose) struct finder finder = finder_make(colour, mask, &lines);
    finder.stretch = stretch;
    for (int y = -RADIUS; y < finder.height + RADIUS; y++) {
        if (y + RADIUS < finder.height)
            row_take(&finder, y + RADIUS);
        sums_slide(&finder, y);
        if (y >= 0 && y < finder.height)
            row_solve(&finder, y);
        if (y >= RADIUS)
            row_finish(&finder, y - RADIUS);
    }
    return lines;
}
