/* SPDX-License-Identifier: Apache-2.0 */
#include "media/scale.h"

#include <math.h>

#include "base/auto.h"
#include "base/mem.h"
#include "media/resample.h"

struct picture picture_cover(const struct picture *picture, int width, int height)
{
    float scale =
        fminf((float)picture->width / (float)width, (float)picture->height / (float)height);
    struct box box = {.width = (float)width * scale, .height = (float)height * scale};
    box.x = ((float)picture->width - box.width) / 2;
    box.y = ((float)picture->height - box.height) / 2;
    struct picture out = picture_new(width, height, picture->channels);
    picture_resample(picture, box, RESAMPLE_CUBIC, &out);
    return out;
}

/* One box along a line of `count` pixels that are `step` bytes apart; edges repeat. */
static void box_line(uint8_t *line, uint8_t *copy, int count, size_t step, int radius)
{
    for (int i = 0; i < count; i++)
        copy[i] = line[(size_t)i * step];
    uint32_t size = 2 * (uint32_t)radius + 1;
    uint32_t sum = size / 2;
    for (int i = -radius; i <= radius; i++)
        sum += copy[i < 0 ? 0 : i >= count ? count - 1 : i];
    for (int i = 0; i < count; i++) {
        line[(size_t)i * step] = (uint8_t)(sum / size);
        int add = i + radius + 1, drop = i - radius;
        sum += copy[add >= count ? count - 1 : add];
        sum -= copy[drop < 0 ? 0 : drop];
    }
}

void picture_blur(struct picture *picture, int radius)
{
    int most = picture->width > picture->height ? picture->width : picture->height;
    AUTO(mem_free) uint8_t *copy = xmalloc((size_t)most + 1);
    size_t channels = (size_t)picture->channels;
    for (int pass = 0; pass < 3; pass++)
        for (size_t c = 0; c < channels; c++) {
            for (int y = 0; y < picture->height; y++)
                box_line(picture_row(picture, y) + c, copy, picture->width, channels, radius);
            for (int x = 0; x < picture->width; x++)
                box_line(picture->pixels + (size_t)x * channels + c, copy, picture->height,
                         picture->stride, radius);
        }
}
