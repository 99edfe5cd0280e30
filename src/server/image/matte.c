/* SPDX-License-Identifier: Apache-2.0 */
/* The colour guided filter of He, Sun and Tang: around each pixel the matte is a linear function
 * of the photo's colour. Its coefficients vary slowly, so they are found on a grid about 256
 * cells long, where its radius is two cells, and only applied at full size. */
#include "image/matte.h"

#include <math.h>

#include "base/mem.h"
#include "image/planes.h"
#include "media/hot.h"
#include "media/resample.h"

enum {
    GRID = 256, /* cells along the longer side */
    RADIUS = 2, /* cells */
};
static const float epsilon = 4e-4f, solid_below = 0.12f, solid_above = 0.88f;

/* Planes of means: colour, matte, their products. */
enum { R, G, B, P, RP, GP, BP, RR, RG, RB, GG, GB, BB, MEANS };

HOT static void colours_unpack(const uint8_t *restrict colour, float *restrict r, float *restrict g,
                               float *restrict b, int width)
{
    const float unit = 1.0f / 255;
    for (int x = 0; x < width; x++) {
        r[x] = (float)colour[3 * x] * unit;
        g[x] = (float)colour[3 * x + 1] * unit;
        b[x] = (float)colour[3 * x + 2] * unit;
    }
}

HOT static void grey_unpack(const uint8_t *restrict mask, float *restrict p, int width)
{
    for (int x = 0; x < width; x++)
        p[x] = (float)mask[x] * (1.0f / 255);
}

HOT static void multiply(const float *restrict a, const float *restrict b, float *restrict out,
                         int width)
{
    for (int x = 0; x < width; x++)
        out[x] = a[x] * b[x];
}

HOT static void square(const float *restrict a, float *restrict out, int width)
{
    for (int x = 0; x < width; x++)
        out[x] = a[x] * a[x];
}

static void products_row(const uint8_t *colour, const uint8_t *mask, float *const rows[MEANS],
                         int width)
{
    static const int products[][3] = {{RP, R, P}, {GP, G, P}, {BP, B, P},
                                      {RG, R, G}, {RB, R, B}, {GB, G, B}};
    static const int squares[][2] = {{RR, R}, {GG, G}, {BB, B}};
    colours_unpack(colour, rows[R], rows[G], rows[B], width);
    grey_unpack(mask, rows[P], width);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        multiply(rows[products[i][1]], rows[products[i][2]], rows[products[i][0]], width);
    for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
        square(rows[squares[i][1]], rows[squares[i][0]], width);
}

static void products_fill(const struct picture *colour, const struct picture *coarse,
                          struct planes *means)
{
    for (int y = 0; y < colour->height; y++) {
        float *rows[MEANS];
        for (int i = 0; i < MEANS; i++)
            rows[i] = planes_row(means, i, y);
        products_row(picture_row(colour, y), picture_row(coarse, y), rows, colour->width);
    }
}

/* The line's slope and offset at one cell, from its neighbourhood's means. */
static inline void solve(const float m[MEANS], float out[4])
{
    float rr = m[RR] - m[R] * m[R] + epsilon, rg = m[RG] - m[R] * m[G];
    float rb = m[RB] - m[R] * m[B], gg = m[GG] - m[G] * m[G] + epsilon;
    float gb = m[GB] - m[G] * m[B], bb = m[BB] - m[B] * m[B] + epsilon;
    float cr = m[RP] - m[R] * m[P], cg = m[GP] - m[G] * m[P], cb = m[BP] - m[B] * m[P];
    /* The inverse of a symmetric 3 × 3 matrix by its cofactors. */
    float irr = gg * bb - gb * gb, irg = gb * rb - rg * bb, irb = rg * gb - gg * rb;
    float igg = rr * bb - rb * rb, igb = rb * rg - rr * gb, ibb = rr * gg - rg * rg;
    float scale = 1 / (rr * irr + rg * irg + rb * irb);
    out[0] = (irr * cr + irg * cg + irb * cb) * scale;
    out[1] = (irg * cr + igg * cg + igb * cb) * scale;
    out[2] = (irb * cr + igb * cg + ibb * cb) * scale;
    out[3] = m[P] - out[0] * m[R] - out[1] * m[G] - out[2] * m[B];
}

/* `step` numbers from one plane's row to the next one's, in both. */
HOT static void lines_row(const float *restrict rows, float *restrict lines, size_t step, int width)
{
    for (int x = 0; x < width; x++) {
        float m[MEANS], line[4];
        for (size_t i = 0; i < MEANS; i++)
            m[i] = rows[i * step + (size_t)x];
        solve(m, line);
        for (size_t i = 0; i < 4; i++)
            lines[i * step + (size_t)x] = line[i];
    }
}

static void lines_solve(const struct planes *means, struct planes *lines)
{
    size_t step = (size_t)means->width * (size_t)means->height;
    for (int y = 0; y < means->height; y++)
        lines_row(planes_row(means, 0, y), planes_row(lines, 0, y), step, means->width);
}

/* Both have a row of R, one of G and one of B; of the lines the offset follows. */
HOT static void lines_apply(const float *restrict lines, const float *restrict colours,
                            uint8_t *restrict out, int width)
{
    const float *r = lines, *g = r + width, *b = g + width, *offset = b + width;
    const float *red = colours, *green = red + width, *blue = green + width;
    const float gain = 255 / (solid_above - solid_below);
    for (int x = 0; x < width; x++) {
        float value = r[x] * red[x] + g[x] * green[x] + b[x] * blue[x];
        value = (value + offset[x] - solid_below) * gain;
        value = value < 0 ? 0 : value > 255 ? 255 : value;
        out[x] = (uint8_t)(value + 0.5f);
    }
}

void matte_refine(const struct picture *photo, const struct picture *coarse,
                  const struct picture *out)
{
    int longer = photo->width > photo->height ? photo->width : photo->height;
    float scale = longer > GRID ? (float)GRID / (float)longer : 1;
    int width = (int)ceilf((float)photo->width * scale);
    int height = (int)ceilf((float)photo->height * scale);

    AUTO(picture_dispose) struct picture colour = picture_new(width, height, PICTURE_RGB);
    AUTO(picture_dispose) struct picture mask = picture_new(width, height, PICTURE_GREY);
    picture_resample(photo, (struct box){0, 0, (float)photo->width, (float)photo->height},
                     RESAMPLE_TRIANGLE, &colour);
    picture_resample(coarse, (struct box){0, 0, (float)coarse->width, (float)coarse->height},
                     RESAMPLE_TRIANGLE, &mask);

    AUTO(planes_dispose) struct planes means = planes_new(MEANS, width, height);
    AUTO(planes_dispose) struct planes lines = planes_new(4, width, height);
    products_fill(&colour, &mask, &means);
    planes_box_mean(&means, RADIUS);
    lines_solve(&means, &lines);
    planes_box_mean(&lines, RADIUS);

    struct enlarger enlarger AUTO(enlarger_dispose);
    enlarger_init(&enlarger, &lines, photo->width, photo->height);
    size_t across = (size_t)photo->width;
    AUTO(mem_free) float *row = xcalloc(across * 7, sizeof *row);
    float *colours = row + 4 * across;
    for (int y = 0; y < photo->height; y++) {
        enlarger_row(&enlarger, y, row);
        colours_unpack(picture_row(photo, y), colours, colours + across, colours + 2 * across,
                       photo->width);
        lines_apply(row, colours, picture_row(out, y), photo->width);
    }
}
