/* SPDX-License-Identifier: Apache-2.0 */
#include "video/brow.h"

#include <math.h>

#include "video/curve.h"

enum { SAMPLES = 40 };

static float sample(const struct frame420 *photo, float x, float y)
{
    int column = (int)clampf(x + 0.5f, 0, (float)(photo->width - 1));
    int row = (int)clampf(y + 0.5f, 0, (float)(photo->height - 1));
    return (float)photo->planes[0][row * photo->strides[0] + column];
}

/* From the lid's edge upwards; averaged sideways, so that single hairs and lashes do not count. */
static void profile(const struct frame420 *photo, const struct axes *axes, float px_per_mm,
                    const struct brow_search *search, float luma[SAMPLES])
{
    for (int i = 0; i < SAMPLES; i++) {
        float y = lerpf(search->lid, search->brow, (float)i / (SAMPLES - 1)), sum = 0;
        for (int side = -2; side <= 2; side++) {
            float px, py;
            axes_leave(axes, search->x + 0.5f * px_per_mm * (float)side, y, &px, &py);
            sum += sample(photo, px, py);
        }
        luma[i] = sum / 5;
    }
}

float brow_skin(const struct frame420 *photo, const struct axes *axes, float px_per_mm,
                const struct brow_search *search, float room)
{
    static const float contrast = 14, part = 0.16f, share = 0.35f;
    float luma[SAMPLES], far = search->lid - search->brow;
    if (!(far > px_per_mm))
        return room;
    profile(photo, axes, px_per_mm, search, luma);
    /* The hair is the darkest in the upper half; below it skin begins where it is nearly as bright
     * as the brightest. Creases of the lid lie below that. */
    int hair = SAMPLES / 2, skin = 0;
    for (int i = SAMPLES / 2; i < SAMPLES; i++)
        if (luma[i] < luma[hair])
            hair = i;
    for (int i = 0; i < hair; i++)
        if (luma[i] > luma[skin])
            skin = i;
    if (luma[skin] - luma[hair] < fmaxf(contrast, part * luma[skin]))
        return room;
    float edge = luma[skin] - share * (luma[skin] - luma[hair]);
    int at = hair;
    while (at > skin && luma[at] < edge)
        at--;
    return far * (float)at / (SAMPLES - 1);
}
