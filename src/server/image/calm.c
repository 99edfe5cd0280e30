/* SPDX-License-Identifier: Apache-2.0 */
#include "image/calm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "media/hot.h"
#include "media/picture.h"

enum { BLOCK = 16, MAX_ROUNDS = 6 };

/* Sums of what a second derivative in both directions leaves of green: edges and slopes count for
 * nothing there, noise does. */
HOT static int row_unrest(const uint8_t *restrict above, const uint8_t *restrict row,
                          const uint8_t *restrict below, int count)
{
    int sum = 0;
    for (int x = 0; x < count; x++) {
        const int i = 3 * x;
        int value = above[i] + above[i + 6] + below[i] + below[i + 6] -
                    2 * (above[i + 3] + below[i + 3] + row[i] + row[i + 6]) + 4 * row[i + 3];
        sum += value < 0 ? -value : value;
    }
    return sum;
}

static int block_unrest(const struct picture *picture, int x, int y)
{
    const size_t green = 3 * (size_t)x + 1;
    int sum = 0;
    for (int i = 0; i < BLOCK - 2; i++)
        sum +=
            row_unrest(picture_row(picture, y + i) + green, picture_row(picture, y + i + 1) + green,
                       picture_row(picture, y + i + 2) + green, BLOCK - 2);
    return sum;
}

static int by_size(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

float picture_noise(const struct picture *picture)
{
    const float calm_share = 0.25f;      /* the blocks of a photo without texture */
    const float deviation = 1.2533f / 6; /* of a mean of these sums; sqrt(pi / 2) / 6 */
    const float cells = (BLOCK - 2) * (BLOCK - 2);
    int across = picture->width / BLOCK, down = picture->height / BLOCK, count = across * down;
    if (count == 0)
        return 0;
    AUTO(mem_free) int *sums = xcalloc((size_t)count, sizeof *sums);
    for (int i = 0; i < count; i++)
        sums[i] = block_unrest(picture, i % across * BLOCK, i / across * BLOCK);
    qsort(sums, (size_t)count, sizeof *sums, by_size);
    return (float)sums[(int)(calm_share * (float)count)] * deviation / cells;
}

HOT static void row_mix(const uint8_t *restrict a, const uint8_t *restrict b,
                        const uint8_t *restrict c, uint8_t *restrict out, int count)
{
    for (int x = 0; x < count; x++)
        out[x] = (uint8_t)((a[x] + 2 * b[x] + c[x] + 2) >> 2);
}

/* One, two, one in both directions. */
static void smooth(struct picture *picture)
{
    int bytes = 3 * picture->width;
    AUTO(mem_free) uint8_t *lines = xcalloc(2, (size_t)bytes);
    uint8_t *last = lines, *mixed = lines + bytes;
    memcpy(last, picture_row(picture, 0), (size_t)bytes);
    for (int y = 0; y < picture->height; y++) {
        uint8_t *row = picture_row(picture, y);
        row_mix(last, row, picture_row(picture, y + 1 < picture->height ? y + 1 : y), mixed, bytes);
        memcpy(last, row, (size_t)bytes);
        memcpy(row, mixed, (size_t)bytes);
        row_mix(mixed, mixed + 3, mixed + 6, row + 3, bytes - 6);
    }
}

void picture_calm(struct picture *picture)
{
    const float harmless = 8, a_round = 0.7f;
    float noise = picture_noise(picture);
    int rounds = noise > harmless ? 1 + (int)((noise - harmless) / a_round) : 0;
    if (picture->width < 3 || picture->height < 3)
        return;
    for (int i = 0; i < rounds && i < MAX_ROUNDS; i++)
        smooth(picture);
}
