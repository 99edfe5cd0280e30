/* SPDX-License-Identifier: Apache-2.0 */
#include "video/backdrop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "video/renderer.h"

/* --- the rim -------------------------------------------------------------------------------------
 */

/* A box filter of 2 × radius + 1 along one line; `step` bytes from one sample to the next. */
static void blur_line(const uint8_t *from, uint8_t *to, int count, ptrdiff_t step, int radius)
{
    int sum = 0, width = 2 * radius + 1;
    for (int i = -radius; i <= radius; i++)
        sum += from[(i < 0 ? 0 : i >= count ? count - 1 : i) * step];
    for (int i = 0; i < count; i++) {
        to[i * step] = (uint8_t)((sum + radius) / width);
        int gone = i - radius, next = i + radius + 1;
        sum += from[(next >= count ? count - 1 : next) * step] - from[(gone < 0 ? 0 : gone) * step];
    }
}

static void blur(struct picture *picture, int radius)
{
    struct picture across = picture_new(picture->width, picture->height, PICTURE_GREY);
    for (int y = 0; y < picture->height; y++)
        blur_line(picture_row(picture, y), picture_row(&across, y), picture->width, 1, radius);
    for (int x = 0; x < picture->width; x++)
        blur_line(across.pixels + x, picture->pixels + x, picture->height, (ptrdiff_t)across.stride,
                  radius);
    picture_dispose(&across);
}

struct picture backdrop_rim(const struct picture *matte, float px_per_mm)
{
    struct picture rim = picture_copy(matte);
    int radius = (int)(4.5f * px_per_mm) + 2;
    blur(&rim, radius);
    /* All that is near enough to the person to be an eighth covered moves along wholly. */
    for (int y = 0; y < rim.height; y++) {
        uint8_t *row = picture_row(&rim, y);
        for (int x = 0; x < rim.width; x++)
            row[x] = row[x] < 4 ? 0 : row[x] >= 36 ? 255 : (uint8_t)((row[x] - 4) * 8);
    }
    blur(&rim, radius / 3 + 1);
    return rim;
}

/* --- the filling
 * ---------------------------------------------------------------------------------- */

/* Known samples are averaged into ever smaller planes until none is unknown; on the way back each
 * unknown sample is read from the next smaller plane. */
struct level {
    int width, height;
    float *value, *known; /* known 0..1; value is 0 where nothing is known */
};

static struct level level_new(int width, int height)
{
    size_t count = (size_t)width * (size_t)height;
    return (struct level){width, height, xreallocarray(NULL, count, sizeof(float)),
                          xreallocarray(NULL, count, sizeof(float))};
}

static void level_shrink(const struct level *from, struct level *to)
{
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            float sum = 0, weight = 0;
            for (int k = 0; k < 4; k++) {
                int fx = 2 * x + k % 2, fy = 2 * y + k / 2;
                if (fx >= from->width || fy >= from->height)
                    continue;
                int at = fy * from->width + fx;
                sum += from->value[at] * from->known[at];
                weight += from->known[at];
            }
            int at = y * to->width + x;
            to->value[at] = weight > 0 ? sum / weight : 0;
            to->known[at] = weight > 1 ? 1 : weight;
        }
}

static float level_at(const struct level *level, float x, float y)
{
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    int column = (int)x, row = (int)y;
    int right = column + 1 < level->width ? column + 1 : level->width - 1;
    int below = row + 1 < level->height ? row + 1 : level->height - 1;
    column = column < level->width ? column : level->width - 1;
    row = row < level->height ? row : level->height - 1;
    float fx = x - (float)column, fy = y - (float)row;
    const float *upper = level->value + row * level->width;
    const float *lower = level->value + below * level->width;
    float top = upper[column] + (upper[right] - upper[column]) * fx;
    float bottom = lower[column] + (lower[right] - lower[column]) * fx;
    return top + (bottom - top) * fy;
}

static void level_grow(const struct level *from, struct level *to)
{
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            int at = y * to->width + x;
            float known = to->known[at];
            if (known >= 1)
                continue;
            float guess = level_at(from, (float)x / 2 - 0.25f, (float)y / 2 - 0.25f);
            to->value[at] = guess + (to->value[at] - guess) * known;
        }
}

static void fill_levels(struct level *levels, int count)
{
    for (int i = 1; i < count; i++)
        level_shrink(&levels[i - 1], &levels[i]);
    for (int i = count - 2; i >= 0; i--)
        level_grow(&levels[i + 1], &levels[i]);
}

static void fill_plane(uint8_t *samples, int stride, int width, int height,
                       const struct picture *cover)
{
    enum { MAX_LEVELS = 16 };
    struct level levels[MAX_LEVELS];
    int count = 1, shift = cover->width > width;
    levels[0] = level_new(width, height);
    for (int y = 0; y < height; y++) {
        const uint8_t *hidden = picture_row(cover, y << shift);
        for (int x = 0; x < width; x++) {
            int at = y * width + x;
            levels[0].value[at] = samples[y * stride + x];
            levels[0].known[at] = hidden[x << shift] == 0;
        }
    }
    while (count < MAX_LEVELS && (levels[count - 1].width > 1 || levels[count - 1].height > 1)) {
        levels[count] =
            level_new((levels[count - 1].width + 1) / 2, (levels[count - 1].height + 1) / 2);
        count++;
    }
    fill_levels(levels, count);
    bool any = levels[count - 1].known[0] > 0;
    for (int y = 0; any && y < height; y++)
        for (int x = 0; x < width; x++) {
            int at = y * width + x;
            if (levels[0].known[at] < 1)
                samples[y * stride + x] = (uint8_t)(levels[0].value[at] + 0.5f);
        }
    for (int i = 0; i < count; i++) {
        free(levels[i].value);
        free(levels[i].known);
    }
}

void backdrop_fill(struct frame420 *frame, const struct picture *cover)
{
    for (int plane = 0; plane < 3; plane++)
        fill_plane(frame->planes[plane], frame->strides[plane],
                   plane ? frame->width / 2 : frame->width,
                   plane ? frame->height / 2 : frame->height, cover);
}
