/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cutout.h"

#include <string.h>

#include "base/auto.h"
#include "image/matte.h"
#include "image/portrait.h"

bool cutout_make(struct vision *vision, const struct picture *photo,
                 const struct cut_prompt *prompt, const struct segment_how *how,
                 struct picture *out, struct error *err)
{
    AUTO(picture_dispose) struct picture plain = {0};
    AUTO(picture_dispose) struct picture matte = {0};
    if (photo->channels != PICTURE_RGB) {
        plain = picture_on_white(photo);
        photo = &plain;
    }
    if (!segment_matte(vision_segment(vision), photo, prompt, how, &matte, err))
        return false;
    AUTO(picture_dispose)
    struct picture front = picture_new(photo->width, photo->height, PICTURE_RGB);
    foreground_estimate(photo, &matte, &front);
    *out = picture_new(photo->width, photo->height, PICTURE_RGBA);
    for (int y = 0; y < out->height; y++) {
        const uint8_t *colour = picture_row(&front, y), *alpha = picture_row(&matte, y);
        uint8_t *to = picture_row(out, y);
        for (int x = 0; x < out->width; x++) {
            /* What cannot be seen is black: it compresses to nothing. */
            for (int c = 0; c < 3; c++)
                to[4 * x + c] = alpha[x] ? colour[3 * x + c] : 0;
            to[4 * x + 3] = alpha[x];
        }
    }
    return true;
}

void cutout_keep(const struct picture *cutout, struct box box)
{
    for (int y = 0; y < cutout->height; y++)
        for (int x = 0; x < cutout->width; x++)
            if ((float)x < box.x || (float)x >= box.x + box.width || (float)y < box.y ||
                (float)y >= box.y + box.height)
                memset(picture_row(cutout, y) + 4 * x, 0, 4);
}

static bool extent(const struct picture *cutout, int *x0, int *y0, int *x1, int *y1)
{
    enum { VISIBLE = 12 };
    *x0 = cutout->width, *y0 = cutout->height, *x1 = *y1 = -1;
    for (int y = 0; y < cutout->height; y++)
        for (int x = 0; x < cutout->width; x++)
            if (picture_row(cutout, y)[4 * x + 3] >= VISIBLE) {
                *x0 = x < *x0 ? x : *x0;
                *x1 = x > *x1 ? x : *x1;
                *y0 = y < *y0 ? y : *y0;
                *y1 = y;
            }
    return *x1 >= 0;
}

bool cutout_trim(const struct picture *cutout, int margin, int transparent, struct picture *out,
                 struct box *out_from)
{
    int x0, y0, x1, y1;
    if (!extent(cutout, &x0, &y0, &x1, &y1))
        return false;
    x0 = x0 > margin ? x0 - margin : 0;
    y0 = y0 > margin ? y0 - margin : 0;
    x1 = x1 + margin < cutout->width ? x1 + margin : cutout->width - 1;
    y1 = y1 + margin < cutout->height ? y1 + margin : cutout->height - 1;
    int width = x1 - x0 + 1, height = y1 - y0 + 1;
    *out = picture_new(width + 2 * transparent, height + 2 * transparent, PICTURE_RGBA);
    memset(out->pixels, 0, out->stride * (size_t)out->height);
    for (int y = 0; y < height; y++)
        memcpy(picture_row(out, y + transparent) + (size_t)transparent * 4,
               picture_row(cutout, y + y0) + (size_t)x0 * 4, (size_t)width * 4);
    *out_from = (struct box){(float)x0, (float)y0, (float)width, (float)height};
    return true;
}
