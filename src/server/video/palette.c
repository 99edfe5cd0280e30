/* SPDX-License-Identifier: Apache-2.0 */
#include "video/palette.h"

#include <math.h>
#include <string.h>

#include "video/curve.h"
#include "video/face_map.h"
#include "video/renderer.h"

static const float black = 16, range = 219; /* of luma */

static void mean_colour(const struct frame420 *photo, float x, float y, float radius, float out[3])
{
    enum { REACH = 3 };
    float sum[3] = {0}, count = 0;
    for (int j = -REACH; j <= REACH; j++)
        for (int i = -REACH; i <= REACH; i++) {
            float dx = radius * (float)i / REACH, dy = radius * (float)j / REACH;
            int px = (int)clampf(x + dx, 0, (float)photo->width - 1);
            int py = (int)clampf(y + dy, 0, (float)photo->height - 1);
            const int row = py / 2, column = px / 2;
            sum[0] += photo->planes[0][py * photo->strides[0] + px];
            for (int plane = 1; plane < 3; plane++)
                sum[plane] += photo->planes[plane][row * photo->strides[plane] + column];
            count++;
        }
    for (int i = 0; i < 3; i++)
        out[i] = sum[i] / count;
}

/* Of several landmarks' surroundings. */
static void landmarks_colour(const struct face *face, const struct frame420 *photo,
                             const int *indices, int count, float radius, float out[3])
{
    float sum[3] = {0};
    for (int i = 0; i < count; i++) {
        float one[3];
        mean_colour(photo, face->points[indices[i]].x, face->points[indices[i]].y, radius, one);
        for (int c = 0; c < 3; c++)
            sum[c] += one[c] / (float)count;
    }
    for (int c = 0; c < 3; c++)
        out[c] = sum[c];
}

static float light_of(float luma)
{
    return clampf((luma - black) / range, 0, 1);
}

/* The colour of the lightest place between iris and corner of each eye. */
static void eye_white(const struct face *face, const struct frame420 *photo, float out[3])
{
    enum { STEPS = 7 };
    static const int eyes[2][3] = {{468, 33, 133}, {473, 362, 263}};
    float sum[3] = {0};
    for (int e = 0; e < 2; e++) {
        float lightest[3] = {0}, colour[3];
        const struct point3 *iris = &face->points[eyes[e][0]];
        for (int side = 1; side < 3; side++)
            for (int i = 0; i < STEPS; i++) {
                const struct point3 *corner = &face->points[eyes[e][side]];
                float share = 0.55f + 0.05f * (float)i;
                mean_colour(photo, lerpf(iris->x, corner->x, share),
                            lerpf(iris->y, corner->y, share), 0.5f, colour);
                if (colour[0] > lightest[0])
                    memcpy(lightest, colour, sizeof lightest);
            }
        for (int c = 0; c < 3; c++)
            sum[c] += lightest[c] / 2;
    }
    memcpy(out, sum, sizeof sum);
}

/* Teeth are about as white as the eyes, but eyes lie in shadow or behind glasses: skin says what is
 * possible. Skin alone cannot: it may be dark itself or in the dark. */
static float enamel_light(float skin, float white)
{
    float most = fminf(1.5f * skin, 0.37f + 0.74f * skin);
    return clampf(1.1f * white, fminf(1.3f * skin, most), clampf(most, 0.14f, 0.93f));
}

static void choose_colours(struct palette *palette, const struct face_map *map,
                           const struct face *face, const struct frame420 *photo)
{
    static const int cheeks[] = {50, 280, 205, 425, 101, 330};
    static const int right_of_mouth[] = {205, 206, 207}, left_of_mouth[] = {425, 426, 427};
    static const int lips[] = {16, 85, 315, 11, 72, 302};
    float skin[3], lip[3], right[3], left[3], white[3], radius = fmaxf(map->px_per_mm * 2, 1);
    landmarks_colour(face, photo, cheeks, 6, radius, skin);
    landmarks_colour(face, photo, lips, 6, fmaxf(radius * 0.4f, 1), lip);
    eye_white(face, photo, white);
    landmarks_colour(face, photo, right_of_mouth, 3, radius, right);
    landmarks_colour(face, photo, left_of_mouth, 3, radius, left);
    palette->tilt =
        clampf((left[0] - right[0]) / fmaxf(left[0] + right[0] - 2 * black, 20), -0.35f, 0.35f);
    float light = fmaxf(light_of(skin[0]), 0.05f);
    /* A grey photo has grey teeth and a grey tongue; a tinted one tints them. */
    float chroma = hypotf(skin[1] - 128, skin[2] - 128);
    float colour = clampf(chroma / 20, 0, 1);
    float lip_u = lip[1] - 128, lip_v = lip[2] - 128;

    palette->enamel[0] = black + range * enamel_light(light, light_of(white[0]));
    palette->enamel[1] = 128 + (skin[1] - 128) * 0.45f - 2 * colour;
    palette->enamel[2] = 128 + (skin[2] - 128) * 0.38f + 2 * colour;
    /* A colour that the light has, the whites of the eyes have, too. */
    for (int i = 1; i < 3; i++)
        palette->enamel[i] = lerpf(palette->enamel[i], white[i], 0.35f);
    palette->tongue[0] = black + range * clampf(0.06f + 0.54f * light, 0.08f, 0.52f);
    palette->tongue[1] = 128 + clampf(lip_u * 0.7f, -12, 6) - 1.0f * colour;
    palette->tongue[2] = 128 + clampf(lip_v * 1.0f, 24 * colour, 38);
    palette->dark[0] = black + range * clampf(0.015f + 0.075f * light, 0.02f, 0.09f);
    palette->dark[1] = 128 + lip_u * 0.25f;
    palette->dark[2] = 128 + fmaxf(lip_v, 12 * colour) * 0.55f;
}

/* Between the parted lips of the photo something lies that is nearly as light as the skin: teeth.
 * Those that are painted take their colour. */
static bool find_own_teeth(struct palette *palette, const struct face_map *map,
                           const struct frame420 *photo)
{
    if (!map->mouth_open)
        return false;
    float sum[3] = {0}, count = 0;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        const struct face_column *column = &map->columns[i];
        if (fabsf(column->inside) > 0.5f)
            continue;
        for (int k = 1; k < 4; k++) {
            float y = lerpf(column->upper, column->lower, 0.2f * (float)k), px, py, yuv[3];
            axes_leave(&map->axes, map->left + map->step * (float)i, y, &px, &py);
            mean_colour(photo, px + 0.5f, py + 0.5f, 0, yuv);
            for (int c = 0; c < 3; c++)
                sum[c] += yuv[c];
            count++;
        }
    }
    if (count == 0 || sum[0] / count < 0.62f * palette->enamel[0])
        return false;
    palette->enamel[0] = fmaxf(sum[0] / count * 1.12f, palette->enamel[0] * 0.8f);
    for (int c = 1; c < 3; c++)
        palette->enamel[c] = (sum[c] / count + palette->enamel[c]) / 2;
    return true;
}

struct palette palette_of(const struct face_map *map, const struct face *face,
                          const struct frame420 *photo)
{
    struct palette palette = {0};
    choose_colours(&palette, map, face, photo);
    palette.own_teeth = find_own_teeth(&palette, map, photo);
    /* What lies low in the mouth is lit by lip and tongue. */
    palette.shaded[0] = palette.enamel[0];
    for (int i = 1; i < 3; i++)
        palette.shaded[i] = lerpf(palette.enamel[i], palette.tongue[i], 0.3f);
    return palette;
}
