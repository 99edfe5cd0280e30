/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "image/matte.h"
#include "media/hot.h"

/* Of each sample and the ones before and after it. */
HOT static void least_of_three(const uint8_t *restrict before, const uint8_t *restrict here,
                               const uint8_t *restrict after, uint8_t *restrict out, int width)
{
    for (int x = 0; x < width; x++) {
        uint8_t least = before[x] < here[x] ? before[x] : here[x];
        out[x] = least < after[x] ? least : after[x];
    }
}

/* By one pixel; what lies at the picture's border goes on beyond it. */
static void draw_in(const struct picture *from, const struct picture *to, uint8_t *line)
{
    int width = from->width, height = from->height;
    for (int y = 0; y < height; y++) {
        const uint8_t *here = picture_row(from, y);
        const uint8_t *before = picture_row(from, y > 0 ? y - 1 : 0);
        const uint8_t *after = picture_row(from, y + 1 < height ? y + 1 : y);
        least_of_three(before, here, after, line + 1, width);
        line[0] = line[1];
        line[width + 1] = line[width];
        least_of_three(line, line + 1, line + 2, picture_row(to, y), width);
    }
}

struct picture matte_inside(const struct picture *matte, int pixels)
{
    struct picture inside = picture_copy(matte);
    AUTO(picture_dispose) struct picture other = picture_copy(matte);
    AUTO(mem_free) uint8_t *line = xmalloc((size_t)matte->width + 2);
    for (int i = 0; i < pixels; i++) {
        draw_in(&inside, &other, line);
        struct picture drawn = other;
        other = inside;
        inside = drawn;
    }
    return inside;
}
