/* SPDX-License-Identifier: Apache-2.0 */
/* portrait_crop: which part of the photo becomes the frame. */
#include <math.h>

#include "image/portrait.h"

enum {
    FOREHEAD = 10,
    CHIN = 152,
    RIGHT_CHEEK = 234,
    LEFT_CHEEK = 454,
    RIGHT_IRIS = 468,
    LEFT_IRIS = 473
};

/* How large the face is in the frame and how far down the eyes are, by the frame's shape. */
struct framing {
    float aspect; /* width over height */
    float face;   /* forehead to chin over the frame's height */
    float eyes;   /* of the frame's height, from the top */
};

static struct framing framing_for(float aspect)
{
    static const struct framing framings[] = {
        {9.0f / 16, 0.25f, 0.36f},
        {1, 0.36f, 0.41f},
        {16.0f / 9, 0.38f, 0.43f},
    };
    const struct framing *a = &framings[0], *b = &framings[1];
    if (aspect > b->aspect) {
        a = &framings[1];
        b = &framings[2];
    }
    float share = (aspect - a->aspect) / (b->aspect - a->aspect);
    share = fminf(fmaxf(share, 0), 1);
    return (struct framing){aspect, a->face + (b->face - a->face) * share,
                            a->eyes + (b->eyes - a->eyes) * share};
}

/* As tall as the framing asks, smaller where the photo ends: better a close-up than a frame that
 * must be filled up. Only where that would cut the face itself is the frame larger than the photo,
 * and a wide one where there is little to fill. */
static float crop_height(const struct framing *framing, const struct picture *photo, float tall)
{
    float width = (float)photo->width, height = (float)photo->height, aspect = framing->aspect;
    bool wide = aspect > 1.3f;
    float wanted = tall / framing->face, fits = fminf(height, width / aspect);
    if (wanted <= fits)
        return wanted;
    /* Of a head that the photo cuts there is no more than the photo has. */
    float down = fminf(tall * (wide ? 1.6f : 1.3f), height);
    float across = fminf(0.92f * tall, width) / aspect;
    float closest = across > down ? fmaxf(down, across) : down * (wide ? 1 : 0.94f);
    /* Beside a head and shoulders there may be soft surroundings. */
    float roomy = wide ? fminf(fminf(tall * 1.9f, height), fits / 0.75f) : 0;
    return fminf(fmaxf(fmaxf(fits, closest), roomy), fmaxf(wanted, closest));
}

/* A face at the photo's edge would stand at the frame's edge: closer, it stands further in. */
static float come_closer(float height, float aspect, const struct picture *photo, float eye_x)
{
    const float inwards = 0.34f, closest = 0.68f;
    float width = (float)photo->width, near = fminf(eye_x, width - eye_x);
    if (height * aspect > width || height > (float)photo->height)
        return height;
    return fminf(height, fmaxf(near / inwards / aspect, height * closest));
}

/* Moves *start so that [*start, *start + size) lies in [0, limit), as far as what of [low, high) is
 * in the photo stays inside; or, where it is larger than that, so that it covers it. */
static void keep_inside(float *start, float size, float limit, float low, float high)
{
    if (size > limit) {
        *start = fminf(fmaxf(*start, limit - size), 0);
        return;
    }
    float wanted = fminf(fmaxf(*start, 0), limit - size);
    wanted = fmaxf(wanted, fminf(high, limit) - size); /* the head must not be cut … */
    *start = fminf(wanted, fmaxf(low, 0));             /* … least of all at its top or left */
}

/* The same across, where neither side matters more: a head that is wider lies in the middle. */
static void keep_between(float *start, float size, float limit, float low, float high)
{
    low = fmaxf(low, 0);
    high = fminf(high, limit);
    if (size <= limit && high - low > size)
        *start = fminf(fmaxf((low + high - size) / 2, 0), limit - size);
    else
        keep_inside(start, size, limit, low, high);
}

struct box portrait_crop(const struct face *face, const struct picture *photo, int width,
                         int height)
{
    const struct framing framing = framing_for((float)width / (float)height);
    const struct point3 *p = face->points;
    float tall = hypotf(p[FOREHEAD].x - p[CHIN].x, p[FOREHEAD].y - p[CHIN].y);
    float eye_x = (p[RIGHT_IRIS].x + p[LEFT_IRIS].x) / 2;
    float eye_y = (p[RIGHT_IRIS].y + p[LEFT_IRIS].y) / 2;
    float usual = crop_height(&framing, photo, tall);
    struct box crop = {.height = come_closer(usual, framing.aspect, photo, eye_x)};
    crop.width = crop.height * framing.aspect;

    /* A head that looks aside gets some room in front of it. */
    crop.x = eye_x - crop.width / 2 + sinf(face->yaw) * 0.06f * crop.width;
    crop.y = eye_y - crop.height * framing.eyes;
    float middle = (p[RIGHT_CHEEK].x + p[LEFT_CHEEK].x) / 2;
    keep_between(&crop.x, crop.width, (float)photo->width, middle - tall * 0.6f,
                 middle + tall * 0.6f);
    /* Hair reaches 0.8 above the eyes; above it is some air where the chin leaves room for it. */
    const float hair = 0.8f, air = 0.95f, chin = 0.75f;
    float above = fminf(fmaxf(crop.height / tall - chin, hair), air);
    keep_inside(&crop.y, crop.height, (float)photo->height, eye_y - tall * above,
                eye_y + tall * chin);
    /* Nothing is made up above a head that the photo's border cuts. */
    if (crop.height > (float)photo->height && eye_y < tall * 0.75f)
        crop.y = 0;
    return crop;
}
