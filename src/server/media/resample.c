/* SPDX-License-Identifier: Apache-2.0 */
/* Two passes: down each column first, which works on whole rows at once, then along each row.
 * Weights are 14-bit integers that sum to one exactly, so flat areas stay as they are. */
#include "media/resample.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "media/hot.h"

enum { ONE = 1 << 14 };

/* For each place in the output, `taps` neighbours from `first` on. */
struct taps {
    int count; /* places in the output */
    int taps;
    int *first;       /* may leave the picture: clamp when reading */
    int16_t *weights; /* count * taps */
};

static void taps_dispose_auto(const struct taps *taps)
{
    free(taps->first);
    free(taps->weights);
}

static double kernel(enum resample_filter filter, double x)
{
    x = fabs(x);
    if (filter == RESAMPLE_TRIANGLE)
        return x < 1 ? 1 - x : 0;
    if (x < 1)
        return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static void weights_fill(int16_t *weights, int taps, double start, double scale,
                         enum resample_filter filter)
{
    double values[1024], sum = 0; /* taps_make keeps taps below */
    for (int i = 0; i < taps; i++)
        sum += values[i] = kernel(filter, (i - start) / scale);
    int total = 0, largest = 0;
    for (int i = 0; i < taps; i++) {
        weights[i] = (int16_t)lrint(values[i] / sum * ONE);
        total += weights[i];
        if (weights[i] > weights[largest])
            largest = i;
    }
    weights[largest] = (int16_t)(weights[largest] + ONE - total);
}

static struct taps taps_make(double start, double size, int count, enum resample_filter filter)
{
    double step = size / count;
    double scale = step > 1 ? step : 1;
    double reach = (filter == RESAMPLE_CUBIC ? 2 : 1) * scale;
    if (reach > 500) { /* a thousandfold reduction: the middle of each place is enough */
        scale *= 500 / reach;
        reach = 500;
    }
    struct taps taps = {.count = count, .taps = (int)ceil(2 * reach) + 1};
    taps.first = xcalloc((size_t)count, sizeof *taps.first);
    taps.weights = xcalloc((size_t)count * (size_t)taps.taps, sizeof *taps.weights);
    for (int i = 0; i < count; i++) {
        double centre = start + (i + 0.5) * step - 0.5;
        taps.first[i] = (int)ceil(centre - reach);
        weights_fill(taps.weights + (size_t)i * (size_t)taps.taps, taps.taps,
                     centre - taps.first[i], scale, filter);
    }
    return taps;
}

static int clamp_index(int index, int size)
{
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

HOT static void row_add(int32_t *restrict sums, const uint8_t *restrict row, int weight,
                        size_t size)
{
    for (size_t i = 0; i < size; i++)
        sums[i] += row[i] * weight;
}

HOT static void row_finish(const int32_t *restrict sums, uint8_t *restrict out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int value = (sums[i] + ONE / 2) >> 14;
        out[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

typedef float four_floats __attribute__((vector_size(16), may_alias));
typedef int four_ints __attribute__((vector_size(16)));

/* Three bytes become the first three of four floats, so that a pixel is one vector. */
HOT static void pixels_widen(const uint8_t *restrict line, float *restrict out, int count)
{
    for (int i = 0; i < count; i++)
        for (int c = 0; c < 4; c++)
            out[4 * i + c] = (float)line[3 * i + c];
}

/* `line` holds the columns from `taps->first[0]` on, edges repeated already. Its numbers and the
 * weights are small enough for floats to be exact. */
HOT static void line_three(const struct taps *taps, const float *restrict real_weights,
                           const four_floats *restrict line, uint8_t *restrict out)
{
    const four_ints none = {0, 0, 0, 0}, most = {255, 255, 255, 255};
    const float half = (float)ONE * .5f; /* rounds */
    for (int i = 0; i < taps->count; i++) {
        const four_floats *at = line + (taps->first[i] - taps->first[0]);
        const float *weights = real_weights + (size_t)i * (size_t)taps->taps;
        four_floats sums = {half, half, half, half};
        for (int k = 0; k < taps->taps; k++)
            sums += at[k] * weights[k];
        four_ints values = __builtin_convertvector(sums, four_ints) >> 14;
        values &= values > none;
        four_ints over = values > most;
        values = (values & ~over) | (most & over);
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = (uint8_t)values[c];
    }
}

HOT static void line_any(const struct taps *taps, const uint8_t *restrict line,
                         uint8_t *restrict out, int channels)
{
    for (int i = 0; i < taps->count; i++) {
        const uint8_t *at = line + (size_t)channels * (size_t)(taps->first[i] - taps->first[0]);
        const int16_t *weights = taps->weights + (size_t)i * (size_t)taps->taps;
        for (int c = 0; c < channels; c++) {
            int sum = ONE / 2;
            for (int k = 0; k < taps->taps; k++)
                sum += at[channels * k + c] * weights[k];
            sum >>= 14;
            out[channels * i + c] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
    }
}

/* Columns [from, to). */
struct columns {
    int from, to;
};

/* The `wanted` columns where only `there` exist; `row` begins with the first of these. */
static void line_spread(uint8_t *line, struct columns wanted, const uint8_t *row,
                        struct columns there, size_t pixel)
{
    int left = wanted.from, count = wanted.to - wanted.from;
    int from = there.from, to = there.to;
    int before = from > left ? from - left : 0;
    before = before < count ? before : count;
    int inside = from >= left ? to - from : 0;
    inside = inside < count - before ? inside : count - before;
    for (int i = 0; i < before; i++)
        memcpy(line + (size_t)i * pixel, row, pixel);
    memcpy(line + (size_t)before * pixel, row, (size_t)inside * pixel);
    const uint8_t *last = row + (size_t)(to - from - 1) * pixel;
    for (int i = before + inside; i < count; i++)
        memcpy(line + (size_t)i * pixel, last, pixel);
}

/* Where the second pass works. */
struct across {
    struct taps taps;
    struct columns wanted; /* some may lie outside of the picture */
    struct columns there;  /* those that do not */
    uint8_t *line;         /* the wanted pixels and a byte more */
    float *wide;           /* RGB only: the same as floats */
    float *real_weights;
};

static struct across across_make(const struct picture *from, struct box box, int count,
                                 enum resample_filter filter)
{
    struct across across = {.taps = taps_make((double)box.x, (double)box.width, count, filter)};
    size_t weights = (size_t)count * (size_t)across.taps.taps;
    struct columns wanted = {across.taps.first[0], across.taps.first[count - 1] + across.taps.taps};
    across.wanted = wanted;
    across.there = (struct columns){clamp_index(wanted.from, from->width),
                                    clamp_index(wanted.to - 1, from->width) + 1};
    size_t pixels = (size_t)(wanted.to - wanted.from);
    across.line = xcalloc(pixels * (size_t)from->channels + 1, 1);
    if (from->channels != PICTURE_RGB)
        return across;
    across.wide = xmalloc(pixels * 4 * sizeof *across.wide);
    across.real_weights = xmalloc(weights * sizeof *across.real_weights);
    for (size_t i = 0; i < weights; i++)
        across.real_weights[i] = across.taps.weights[i];
    return across;
}

static void across_dispose_auto(const struct across *across)
{
    taps_dispose_auto(&across->taps);
    free(across->line);
    free(across->wide);
    free(across->real_weights);
}

static void row_across(const struct across *across, const uint8_t *row, int channels, uint8_t *out)
{
    line_spread(across->line, across->wanted, row, across->there, (size_t)channels);
    if (channels != PICTURE_RGB) {
        line_any(&across->taps, across->line, out, channels);
        return;
    }
    pixels_widen(across->line, across->wide, across->wanted.to - across->wanted.from);
    line_three(&across->taps, across->real_weights, (const four_floats *)across->wide, out);
}

void picture_resample(const struct picture *from, struct box box, enum resample_filter filter,
                      const struct picture *to)
{
    int channels = from->channels;
    AUTO(across_dispose) struct across across = across_make(from, box, to->width, filter);
    AUTO(taps_dispose)
    struct taps down = taps_make((double)box.y, (double)box.height, to->height, filter);

    size_t size = (size_t)(across.there.to - across.there.from) * (size_t)channels;
    size_t start = (size_t)across.there.from * (size_t)channels;
    AUTO(mem_free) int32_t *sums = xmalloc(size * sizeof *sums);
    AUTO(mem_free) uint8_t *row = xmalloc(size);
    for (int y = 0; y < to->height; y++) {
        memset(sums, 0, size * sizeof *sums);
        for (int k = 0; k < down.taps; k++) {
            int weight = down.weights[(size_t)y * (size_t)down.taps + (size_t)k];
            int source = clamp_index(down.first[y] + k, from->height);
            if (weight != 0)
                row_add(sums, picture_row(from, source) + start, weight, size);
        }
        row_finish(sums, row, size);
        row_across(&across, row, channels, picture_row(to, y));
    }
}
