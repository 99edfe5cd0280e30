/* SPDX-License-Identifier: Apache-2.0 */
#include "image/planes.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "media/hot.h"

enum { NARROW = 4 };

struct planes planes_new(int count, int width, int height)
{
    struct planes planes = {.count = count, .width = width, .height = height};
    planes.data = xcalloc((size_t)count * (size_t)width * (size_t)height, sizeof *planes.data);
    return planes;
}

void planes_dispose(struct planes *planes)
{
    free(planes->data);
    *planes = (struct planes){0};
}

/* The sums run along for the whole plane, so they are doubles: what goes in must come out again
 * without a trace, or an empty corner would show what was added far away. */
HOT static void add_row(double *restrict sums, const float *restrict row, double sign, int width)
{
    for (int x = 0; x < width; x++)
        sums[x] += (double)row[x] * sign;
}

/* For radii too large for the loop below. */
static void mean_across(const double *restrict sums, float *restrict out, int width, int radius,
                        int rows)
{
    double sum = 0;
    int have = 0;
    for (int x = 0; x < radius && x < width; x++, have++)
        sum += sums[x];
    for (int x = 0; x < width; x++) {
        if (x + radius < width) {
            sum += sums[x + radius];
            have++;
        }
        if (x - radius - 1 >= 0) {
            sum -= sums[x - radius - 1];
            have--;
        }
        out[x] = (float)(sum / (have * rows));
    }
}

/* For a small radius, adding a few rows and a few columns again for each place is faster than a sum
 * that runs along, since all places are done at once; and nothing is left over from far away, so
 * floats are enough. */
HOT static void sum_down(const float *restrict rows, float *restrict sums, int width, int count)
{
    for (int x = 0; x < width; x++)
        sums[x] = rows[x];
    for (int k = 1; k < count; k++) {
        const float *row = rows + (size_t)k * (size_t)width;
        for (int x = 0; x < width; x++)
            sums[x] += row[x];
    }
}

HOT static void mean_across_narrow(const float *restrict sums, float *restrict out, int width,
                                   int radius, int rows)
{
    float scale = 1.0f / (float)((2 * radius + 1) * rows);
    int inside = width - 2 * radius;
    for (int x = 0; x < inside; x++)
        out[x + radius] = sums[x];
    for (int k = 1; k <= 2 * radius; k++)
        for (int x = 0; x < inside; x++)
            out[x + radius] += sums[x + k];
    for (int x = radius; x < width - radius; x++)
        out[x] *= scale;
    for (int x = 0; x < width; x++) {
        if (x == radius)
            x = width - radius;
        float sum = 0;
        int from = x - radius < 0 ? 0 : x - radius;
        int to = x + radius >= width ? width - 1 : x + radius;
        for (int k = from; k <= to; k++)
            sum += sums[k];
        out[x] = sum / (float)((to - from + 1) * rows);
    }
}

static void plane_box_mean_narrow(const struct planes *planes, int plane, int radius, float *copy,
                                  float *sums)
{
    int width = planes->width, height = planes->height;
    memcpy(copy, planes_row(planes, plane, 0), (size_t)width * (size_t)height * sizeof *copy);
    for (int y = 0; y < height; y++) {
        int from = y < radius ? 0 : y - radius;
        int to = y + radius < height ? y + radius : height - 1;
        sum_down(copy + (size_t)from * (size_t)width, sums, width, to - from + 1);
        mean_across_narrow(sums, planes_row(planes, plane, y), width, radius, to - from + 1);
    }
}

static void plane_box_mean(const struct planes *planes, int plane, int radius, float *copy,
                           double *sums)
{
    int width = planes->width, height = planes->height;
    size_t size = (size_t)width * (size_t)height;
    memcpy(copy, planes_row(planes, plane, 0), size * sizeof *copy);
    memset(sums, 0, (size_t)width * sizeof *sums);
    int have = 0;
    for (int y = 0; y < radius && y < height; y++, have++)
        add_row(sums, copy + (size_t)y * (size_t)width, 1, width);
    for (int y = 0; y < height; y++) {
        if (y + radius < height) {
            add_row(sums, copy + (size_t)(y + radius) * (size_t)width, 1, width);
            have++;
        }
        if (y - radius - 1 >= 0) {
            add_row(sums, copy + (size_t)(y - radius - 1) * (size_t)width, -1, width);
            have--;
        }
        mean_across(sums, planes_row(planes, plane, y), width, radius, have);
    }
}

void planes_box_mean(struct planes *planes, int radius)
{
    size_t size = (size_t)planes->width * (size_t)planes->height;
    AUTO(mem_free) float *copy = xmalloc(size * sizeof *copy);
    AUTO(mem_free) double *sums = xcalloc((size_t)planes->width, sizeof *sums);
    bool narrow = radius <= NARROW && planes->width > 2 * radius;
    for (int plane = 0; plane < planes->count; plane++) {
        if (narrow)
            plane_box_mean_narrow(planes, plane, radius, copy, (float *)sums);
        else
            plane_box_mean(planes, plane, radius, copy, sums);
    }
}

int planes_place(int at, int large, int small, float *out_share)
{
    float where = ((float)at + 0.5f) * (float)small / (float)large - 0.5f;
    where = fminf(fmaxf(where, 0), (float)(small - 1));
    int before = (int)where;
    if (before > small - 2)
        before = small > 1 ? small - 2 : 0;
    *out_share = small > 1 ? where - (float)before : 0;
    return before;
}

void enlarger_init(struct enlarger *enlarger, const struct planes *planes, int width, int height)
{
    size_t row = (size_t)planes->count * (size_t)width;
    *enlarger =
        (struct enlarger){.planes = planes,
                          .width = width,
                          .height = height,
                          .left = xcalloc((size_t)width, sizeof(int)),
                          .share = xcalloc((size_t)width, sizeof(float)),
                          .rows = {xcalloc(row, sizeof(float)), xcalloc(row, sizeof(float))},
                          .row_at = {-1, -1}};
    for (int x = 0; x < width; x++)
        enlarger->left[x] = planes_place(x, width, planes->width, &enlarger->share[x]);
}

void enlarger_dispose(struct enlarger *enlarger)
{
    free(enlarger->left);
    free(enlarger->share);
    free(enlarger->rows[0]);
    free(enlarger->rows[1]);
    *enlarger = (struct enlarger){0};
}

HOT static void widen(const float *restrict row, const int *restrict left,
                      const float *restrict share, int step, float *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        float a = row[left[x]], b = row[left[x] + step];
        out[x] = a + (b - a) * share[x];
    }
}

static void row_load(struct enlarger *enlarger, int slot, int y)
{
    const struct planes *planes = enlarger->planes;
    int step = planes->width > 1;
    for (int plane = 0; plane < planes->count; plane++)
        widen(planes_row(planes, plane, y), enlarger->left, enlarger->share, step,
              enlarger->rows[slot] + (size_t)plane * (size_t)enlarger->width, enlarger->width);
    enlarger->row_at[slot] = y;
}

HOT static void lerp(const float *restrict a, const float *restrict b, float share,
                     float *restrict out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] + (b[i] - a[i]) * share;
}

void enlarger_row(struct enlarger *enlarger, int y, float *out)
{
    float share;
    int before = planes_place(y, enlarger->height, enlarger->planes->height, &share);
    int after = before + (enlarger->planes->height > 1);
    if (enlarger->row_at[0] != before) {
        float *spare = enlarger->rows[0];
        enlarger->rows[0] = enlarger->rows[1];
        enlarger->rows[1] = spare;
        enlarger->row_at[0] = enlarger->row_at[1];
        enlarger->row_at[1] = -1;
        if (enlarger->row_at[0] != before)
            row_load(enlarger, 0, before);
    }
    if (enlarger->row_at[1] != after)
        row_load(enlarger, 1, after);
    lerp(enlarger->rows[0], enlarger->rows[1], share, out,
         (size_t)enlarger->planes->count * (size_t)enlarger->width);
}
