/* SPDX-License-Identifier: Apache-2.0 */
#include "image/surround.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "media/scale.h"

/* Shares of the frame's longer side: how far out it is wholly soft, how soft, and over how much a
 * cut person fades. */
static const float soft_after = 0.05f, softness = 0.025f, fade = 0.02f;

struct box surround_covered(struct box crop, const struct picture *photo,
                            const struct picture *frame)
{
    float scale_x = (float)frame->width / crop.width, scale_y = (float)frame->height / crop.height;
    float left = fmaxf(-crop.x * scale_x, 0), top = fmaxf(-crop.y * scale_y, 0);
    float right = fminf(((float)photo->width - crop.x) * scale_x, (float)frame->width);
    float bottom = fminf(((float)photo->height - crop.y) * scale_y, (float)frame->height);
    return (struct box){left, top, right - left, bottom - top};
}

/* Whole pixels that the photo surely covers. */
struct inside {
    int left, top, right, bottom; /* right and bottom are the last ones inside */
};

static struct inside whole(struct box covered)
{
    return (struct inside){(int)ceilf(covered.x - 0.01f), (int)ceilf(covered.y - 0.01f),
                           (int)floorf(covered.x + covered.width + 0.01f) - 1,
                           (int)floorf(covered.y + covered.height + 0.01f) - 1};
}

static bool covers(struct inside in, const struct picture *frame)
{
    return in.left <= 0 && in.top <= 0 && in.right >= frame->width - 1 &&
           in.bottom >= frame->height - 1;
}

/* Where in [low, high] a mirror at either end shows `at`. */
static int mirrored(int at, int low, int high)
{
    int span = high - low;
    if (span <= 0)
        return low;
    int away = at < low ? low - at : at - low;
    away %= 2 * span;
    return low + (away > span ? 2 * span - away : away);
}

static float distance(int x, int y, struct inside in)
{
    float dx = (float)(x < in.left ? in.left - x : x > in.right ? x - in.right : 0);
    float dy = (float)(y < in.top ? in.top - y : y > in.bottom ? y - in.bottom : 0);
    return hypotf(dx, dy);
}

void surround_fill(struct picture *frame, struct box covered)
{
    struct inside in = whole(covered);
    if (covers(in, frame) || in.right <= in.left || in.bottom <= in.top)
        return;
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *from = picture_row(frame, mirrored(y, in.top, in.bottom));
        uint8_t *row = picture_row(frame, y);
        for (int x = 0; x < frame->width; x++)
            if (distance(x, y, in) > 0)
                memmove(row + 3 * (size_t)x, from + 3 * (size_t)mirrored(x, in.left, in.right), 3);
    }
    float longer = (float)(frame->width > frame->height ? frame->width : frame->height);
    AUTO(picture_dispose) struct picture soft = picture_copy(frame);
    picture_blur(&soft, (int)(longer * softness));
    for (int y = 0; y < frame->height; y++) {
        uint8_t *row = picture_row(frame, y);
        const uint8_t *blurred = picture_row(&soft, y);
        for (int x = 0; x < frame->width; x++) {
            float share = fminf(distance(x, y, in) / (longer * soft_after), 1);
            for (int c = 3 * x; share > 0 && c < 3 * x + 3; c++)
                row[c] =
                    (uint8_t)((float)row[c] + share * ((float)blurred[c] - (float)row[c]) + 0.5f);
        }
    }
}

void surround_clear(struct picture *matte, struct box covered)
{
    struct inside in = whole(covered);
    if (covers(in, matte) || in.right <= in.left || in.bottom <= in.top)
        return;
    float longer = (float)(matte->width > matte->height ? matte->width : matte->height);
    float width = fmaxf(longer * fade, 1);
    for (int y = 0; y < matte->height; y++) {
        uint8_t *row = picture_row(matte, y);
        for (int x = 0; x < matte->width; x++) {
            float left = in.left > 0 ? (float)(x - in.left) : width;
            float right = in.right < matte->width - 1 ? (float)(in.right - x) : width;
            float top = in.top > 0 ? (float)(y - in.top) : width;
            float bottom = in.bottom < matte->height - 1 ? (float)(in.bottom - y) : width;
            float nearest = fminf(fminf(left, right), fminf(top, bottom));
            float share = fminf(fmaxf(nearest / width, 0), 1);
            row[x] = (uint8_t)((float)row[x] * share + 0.5f);
        }
    }
}
