/* SPDX-License-Identifier: Apache-2.0 */
#include "image/enhance.h"

#include <math.h>

#include "base/auto.h"
#include "media/hot.h"
#include "media/picture.h"
#include "media/scale.h"

/* What becomes black and white at most, and by how much contrast may grow. */
static const float cut_share = 0.004f, max_gain = 1.35f, sharpness = 0.45f;

static void levels(const struct picture *photo, float *out_low, float *out_gain)
{
    unsigned long counts[256] = {0}, total = 0, sum = 0;
    for (int y = 0; y < photo->height; y++) {
        const uint8_t *row = picture_row(photo, y);
        for (int x = 0; x < photo->width; x++)
            counts[(row[3 * x] * 77 + row[3 * x + 1] * 150 + row[3 * x + 2] * 29) >> 8]++;
    }
    total = (unsigned long)photo->width * (unsigned long)photo->height;
    unsigned long edge = (unsigned long)((float)total * cut_share);
    int low = 0, high = 255;
    for (sum = counts[0]; sum <= edge && low < 254; sum += counts[low])
        low++;
    for (sum = counts[255]; sum <= edge && high > low + 1; sum += counts[high])
        high--;
    *out_gain = fminf(255 / (float)(high - low), max_gain);
    /* What the limited gain leaves over is shared by both ends. */
    *out_low = (float)low - (255 / *out_gain - (float)(high - low)) / 2;
    *out_low = fmaxf(*out_low, 0);
}

HOT static void row_enhance(uint8_t *restrict row, const uint8_t *restrict soft, int count,
                            float low, float gain)
{
    for (int i = 0; i < count; i++) {
        float value = (float)row[i] + sharpness * (float)(row[i] - soft[i]);
        value = (value - low) * gain + 0.5f;
        row[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

void picture_enhance(struct picture *photo)
{
    float low = 0, gain = 1;
    int longer = photo->width > photo->height ? photo->width : photo->height;
    AUTO(picture_dispose) struct picture soft = picture_copy(photo);
    picture_blur(&soft, longer > 2000 ? 2 : 1);
    levels(photo, &low, &gain);
    for (int y = 0; y < photo->height; y++)
        row_enhance(picture_row(photo, y), picture_row(&soft, y), 3 * photo->width, low, gain);
}
