/* SPDX-License-Identifier: Apache-2.0 */
/* Blur fusion: the foreground around a pixel is the mean of the photo weighted by the matte, the
 * background the mean weighted by the rest; what the two do not explain is added back where the
 * matte is solid. Done twice, first over a wide neighbourhood, then over a narrow one. Weighted
 * means are smooth, so they are kept on a coarse grid: 1/8 for the wide pass, 1/2 for the narrow.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "image/matte.h"
#include "image/planes.h"
#include "media/hot.h"
#include "media/picture.h"

/* Planes of sums: colour under the matte and under the rest, and the weights themselves. What is
 * left of a cell's area is the rest's weight, so that one is not summed. */
enum { FR, FG, FB, BR, BG, BB, COLOURS, FW = COLOURS, SUMMED, BW = SUMMED, SUMS };

enum { WIDE_CELL = 8, NARROW_CELL = 2 };
static const float wide_radius = 90.0f / 1024, narrow_radius = 6.0f / 1024; /* of the longer side */

HOT static void photo_unpack(const uint8_t *restrict row, const uint8_t *restrict matte,
                             float *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        out[x] = (float)row[3 * x];
        out[width + x] = (float)row[3 * x + 1];
        out[2 * width + x] = (float)row[3 * x + 2];
        out[3 * width + x] = (float)matte[x] * (1.0f / 255);
    }
}

/* Adds one row's weighted colours to `out`, SUMMED rows. `means` (FR…BB of the pass
 * before, as wide as the row) is NULL in the first pass, where both layers are the photo. */
HOT static void weigh_first(const float *restrict photo, float *restrict out, int width)
{
    const float *alpha = photo + 3 * width;
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < width; x++) {
            float under = photo[c * width + x] * alpha[x];
            out[(FR + c) * width + x] += under;
            out[(BR + c) * width + x] += photo[c * width + x] - under;
        }
    for (int x = 0; x < width; x++)
        out[FW * width + x] += alpha[x];
}

HOT static void weigh_again(const float *restrict photo, const float *restrict means,
                            float *restrict out, int width)
{
    const float *alpha = photo + 3 * width;
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < width; x++) {
            float a = alpha[x], f = means[(FR + c) * width + x], b = means[(BR + c) * width + x];
            float value = f + a * (photo[c * width + x] - a * f - (1 - a) * b);
            value = value < 0 ? 0 : value > 255 ? 255 : value;
            out[(FR + c) * width + x] += value * a;
            out[(BR + c) * width + x] += b * (1 - a);
        }
    for (int x = 0; x < width; x++)
        out[FW * width + x] += alpha[x];
}

/* A row of numbers becomes a row of cells. The cell's size is a constant where this is called, so
 * that the inner loop unrolls. */
static inline __attribute__((always_inline)) void
cells_sum(const float *restrict row, float *restrict cells, int width, int cell)
{
    int whole = width / cell;
    for (int i = 0; i < whole; i++) {
        float sum = 0;
        for (int k = 0; k < cell; k++)
            sum += row[i * cell + k];
        cells[i] = sum;
    }
    if (whole * cell < width)
        cells[whole] = 0;
    for (int x = whole * cell; x < width; x++)
        cells[whole] += row[x];
}

HOT static void cells_wide(const float *restrict row, float *restrict cells, int width)
{
    cells_sum(row, cells, width, WIDE_CELL);
}

HOT static void cells_narrow(const float *restrict row, float *restrict cells, int width)
{
    cells_sum(row, cells, width, NARROW_CELL);
}

/* Writes the sums of `rows` rows as row y of the cells. */
static void cells_write(const struct planes *sums, const float *weighted, int y, int width,
                        int rows, int cell)
{
    for (int i = 0; i < SUMMED; i++) {
        const float *row = weighted + (size_t)i * (size_t)width;
        if (cell == WIDE_CELL)
            cells_wide(row, planes_row(sums, i, y), width);
        else
            cells_narrow(row, planes_row(sums, i, y), width);
    }
    const float *front = planes_row(sums, FW, y);
    float *rest = planes_row(sums, BW, y);
    for (int x = 0; x < sums->width; x++) {
        int columns = width - x * cell < cell ? width - x * cell : cell;
        rest[x] = (float)(columns * rows) - front[x];
    }
}

/* Sums become means of a neighbourhood: colours divided by weights. Where a layer is not seen at
 * all, the colour of the whole neighbourhood stands in. */
HOT static void colours_divide(float *restrict f, float *restrict b, const float *restrict fw,
                               const float *restrict bw, size_t count)
{
    const float tiny = 1e-5f;
    for (size_t i = 0; i < count; i++) {
        float all = (f[i] + b[i]) / (fw[i] + bw[i]);
        f[i] = (f[i] + tiny * all) / (fw[i] + tiny);
        b[i] = (b[i] + tiny * all) / (bw[i] + tiny);
    }
}

static void means_finish(struct planes *sums, int radius)
{
    planes_box_mean(sums, radius);
    for (int c = 0; c < 3; c++)
        colours_divide(planes_row(sums, FR + c, 0), planes_row(sums, BR + c, 0),
                       planes_row(sums, FW, 0), planes_row(sums, BW, 0),
                       (size_t)sums->width * (size_t)sums->height);
    sums->count = COLOURS; /* the weights are done with: nobody has to enlarge them */
}

HOT static void fuse(const float *restrict photo, const float *restrict means,
                     uint8_t *restrict out, int width)
{
    const float *alpha = photo + 3 * width;
    for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
            float a = alpha[x], f = means[(FR + c) * width + x], b = means[(BR + c) * width + x];
            float value = f + a * (photo[c * width + x] - a * f - (1 - a) * b);
            value = value < 0 ? 0 : value > 255 ? 255 : value;
            out[3 * x + c] = (uint8_t)(value + 0.5f);
        }
}

struct pass {
    const struct picture *photo, *matte;
    float *row;      /* the photo's row and alpha, as floats */
    float *weighted; /* SUMMED rows */
    float *means;    /* COLOURS rows */
};

static void pass_dispose_auto(const struct pass *pass)
{
    free(pass->row);
    free(pass->weighted);
    free(pass->means);
}

static struct planes sums_make(const struct pass *pass, const struct planes *before, int cell)
{
    int width = pass->photo->width, height = pass->photo->height;
    struct planes sums = planes_new(SUMS, (width + cell - 1) / cell, (height + cell - 1) / cell);
    struct enlarger enlarger AUTO(enlarger_dispose) = {0};
    if (before)
        enlarger_init(&enlarger, before, width, height);
    for (int y = 0; y < height; y++) {
        int in_cell = y % cell;
        if (in_cell == 0)
            memset(pass->weighted, 0, (size_t)width * SUMMED * sizeof(float));
        photo_unpack(picture_row(pass->photo, y), picture_row(pass->matte, y), pass->row, width);
        if (before) {
            enlarger_row(&enlarger, y, pass->means);
            weigh_again(pass->row, pass->means, pass->weighted, width);
        } else {
            weigh_first(pass->row, pass->weighted, width);
        }
        if (in_cell == cell - 1 || y == height - 1)
            cells_write(&sums, pass->weighted, y / cell, width, in_cell + 1, cell);
    }
    return sums;
}

static int radius_in_cells(const struct picture *photo, float share, int cell)
{
    int longer = photo->width > photo->height ? photo->width : photo->height;
    int radius = (int)lroundf((float)longer * share / (float)cell);
    return radius > 1 ? radius : 1;
}

void foreground_estimate(const struct picture *photo, const struct picture *matte,
                         const struct picture *out)
{
    size_t width = (size_t)photo->width;
    AUTO(pass_dispose)
    struct pass pass = {.photo = photo,
                        .matte = matte,
                        .row = xcalloc(width * 4, sizeof(float)),
                        .weighted = xcalloc(width * SUMMED, sizeof(float)),
                        .means = xcalloc(width * COLOURS, sizeof(float))};
    AUTO(planes_dispose) struct planes wide = sums_make(&pass, NULL, WIDE_CELL);
    means_finish(&wide, radius_in_cells(photo, wide_radius, WIDE_CELL));
    AUTO(planes_dispose) struct planes narrow = sums_make(&pass, &wide, NARROW_CELL);
    means_finish(&narrow, radius_in_cells(photo, narrow_radius, NARROW_CELL));

    struct enlarger enlarger AUTO(enlarger_dispose);
    enlarger_init(&enlarger, &narrow, photo->width, photo->height);
    for (int y = 0; y < photo->height; y++) {
        enlarger_row(&enlarger, y, pass.means);
        photo_unpack(picture_row(photo, y), picture_row(matte, y), pass.row, photo->width);
        fuse(pass.row, pass.means, picture_row(out, y), photo->width);
    }
}
