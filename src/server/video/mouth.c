/* SPDX-License-Identifier: Apache-2.0 */
#include "video/mouth.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "video/curve.h"
#include "video/renderer.h"
#include "video/warp.h"

/* --- teeth ------------------------------------------------------------------------------------ */

struct tooth {
    float width, edge, corner; /* mm: along the arch, its edge above the row's, rounding */
};

static const struct tooth upper_row[] = {
    {8.5f, 0.0f, 1.1f}, {6.5f, 0.75f, 1.5f}, {7.6f, 0.25f, 2.6f},
    {7.0f, 0.9f, 2.2f}, {6.8f, 1.2f, 2.0f},  {9.5f, 1.5f, 2.0f},
};
static const struct tooth lower_row[] = {
    {5.3f, 0.0f, 0.7f}, {5.8f, 0.15f, 0.9f}, {6.8f, 0.1f, 1.8f},
    {7.0f, 0.8f, 1.8f}, {7.1f, 1.2f, 1.6f},  {10.0f, 1.6f, 1.6f},
};
enum { TEETH_IN_ROW = 6, SUBSAMPLES = 4 };

static const float arch_half_width = 27, arch_depth = 31; /* mm: seen from the front they narrow */

struct tooth_hit {
    float cover, shade;
};

/* The row at `x` mm from the middle and `up` mm from the biting edge towards the gum. */
static struct tooth_hit tooth_at(const struct tooth row[TEETH_IN_ROW], float x, float up,
                                 float detail)
{
    float across = fminf(fabsf(x) / arch_half_width, 0.999f);
    float along = asinf(across) * arch_depth, start = 0;
    int i = 0;
    while (i < TEETH_IN_ROW - 1 && along > start + row[i].width)
        start += row[i++].width;
    float at = clampf((along - start) / row[i].width * 2 - 1, -1, 1); /* -1..1 within the tooth */
    float side = fabsf(at);
    /* The edge is rounded at the corners; the outer corner more than the inner one. */
    float round = detail * row[i].corner * powf(side, 5.0f) * (at > 0 ? 1.25f : 0.8f);
    float above = up - detail * row[i].edge - round;
    if (above < 0)
        return (struct tooth_hit){0, 0};
    float bulge = 1 - detail * (0.13f * side * side + 0.15f * powf(side, 10));
    float lengthwise = 1 - 0.10f * expf(-above / 0.7f) - 0.012f * fmaxf(above - 4, 0);
    float arch = 1 - 0.62f * across * across;
    return (struct tooth_hit){1, bulge * lengthwise * arch};
}

static struct teeth teeth_new(const struct tooth row[TEETH_IN_ROW], float height_mm,
                              float px_per_mm, bool upwards)
{
    float pad = 2, width = 2 * (arch_half_width * px_per_mm + pad);
    struct teeth teeth = {.width = (int)width + 1, .height = (int)(height_mm * px_per_mm + 4)};
    teeth.x = (float)teeth.width / 2;
    teeth.y = upwards ? (float)teeth.height - 2 : 2;
    /* Where a tooth is but a few pixels wide its outline would look like a comb. */
    float detail = clampf(px_per_mm / 3.2f, 0.5f, 1);
    size_t count = (size_t)teeth.width * (size_t)teeth.height;
    teeth.cover = xcalloc(count, 1);
    teeth.shade = xcalloc(count, 1);
    for (int y = 0; y < teeth.height; y++)
        for (int x = 0; x < teeth.width; x++) {
            float cover = 0, shade = 0;
            for (int sub = 0; sub < SUBSAMPLES * SUBSAMPLES; sub++) {
                int across = sub % SUBSAMPLES, down = sub / SUBSAMPLES;
                float sx = (float)x + ((float)across + 0.5f) / SUBSAMPLES - 0.5f;
                float sy = (float)y + ((float)down + 0.5f) / SUBSAMPLES - 0.5f;
                float up = (upwards ? teeth.y - sy : sy - teeth.y) / px_per_mm;
                struct tooth_hit hit = tooth_at(row, (sx - teeth.x) / px_per_mm, up, detail);
                cover += hit.cover;
                shade += hit.cover * hit.shade;
            }
            size_t at = (size_t)y * (size_t)teeth.width + (size_t)x;
            teeth.cover[at] = (uint8_t)(cover * 255 / (SUBSAMPLES * SUBSAMPLES));
            teeth.shade[at] = cover > 0 ? (uint8_t)clampf(shade / cover * 255, 0, 255) : 0;
        }
    return teeth;
}

/* Cover and shade, 0..1, at (x, y) px from the row's middle edge. */
static struct tooth_hit teeth_at(const struct teeth *teeth, float x, float y)
{
    x += teeth->x;
    y += teeth->y;
    if (x < 0 || x >= (float)teeth->width - 1)
        return (struct tooth_hit){0, 0};
    y = clampf(y, 0, (float)teeth->height - 1.01f);
    int column = (int)x, row = (int)y;
    float fx = x - (float)column, fy = y - (float)row;
    const uint8_t *cover = teeth->cover + row * teeth->width + column;
    const uint8_t *shade = teeth->shade + row * teeth->width + column;
    int below = teeth->width;
    float weight[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
    float c[4] = {cover[0] * weight[0], cover[1] * weight[1], cover[below] * weight[2],
                  cover[below + 1] * weight[3]};
    float sum = c[0] + c[1] + c[2] + c[3];
    if (sum < 0.5f)
        return (struct tooth_hit){0, 0};
    float light =
        (c[0] * shade[0] + c[1] * shade[1] + c[2] * shade[below] + c[3] * shade[below + 1]) / sum;
    return (struct tooth_hit){sum / 255, light / 255};
}

/* --- the photo's colours ------------------------------------------------------------------------
 */

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

static void choose_colours(struct mouth *mouth, const struct face *face,
                           const struct frame420 *photo)
{
    static const int cheeks[] = {50, 280, 205, 425, 101, 330};
    static const int lips[] = {16, 85, 315, 11, 72, 302};
    float skin[3], lip[3], radius = fmaxf(mouth->map->px_per_mm * 2, 1);
    landmarks_colour(face, photo, cheeks, 6, radius, skin);
    landmarks_colour(face, photo, lips, 6, fmaxf(radius * 0.4f, 1), lip);
    float light = clampf((skin[0] - 16) / 219, 0.05f, 1);
    /* A grey photo has grey teeth and a grey tongue; a tinted one tints them. */
    float chroma = hypotf(skin[1] - 128, skin[2] - 128);
    float colour = clampf(chroma / 20, 0, 1);
    float lip_u = lip[1] - 128, lip_v = lip[2] - 128;

    /* Enamel hardly depends on the skin, but on the light that the skin shows. */
    mouth->enamel[0] = 16 + 219 * clampf(0.37f + 0.74f * light, 0.27f, 0.93f);
    mouth->enamel[1] = 128 + (skin[1] - 128) * 0.45f - 2 * colour;
    mouth->enamel[2] = 128 + (skin[2] - 128) * 0.38f + 2 * colour;
    mouth->tongue[0] = 16 + 219 * clampf(0.08f + 0.56f * light, 0.09f, 0.56f);
    mouth->tongue[1] = 128 + clampf(lip_u * 0.7f, -12, 6) - 1.0f * colour;
    mouth->tongue[2] = 128 + clampf(lip_v * 1.1f, 27 * colour, 42);
    mouth->dark[0] = 16 + 219 * clampf(0.015f + 0.075f * light, 0.02f, 0.09f);
    mouth->dark[1] = 128 + lip_u * 0.25f;
    mouth->dark[2] = 128 + fmaxf(lip_v, 9 * colour) * 0.45f;
}

/* Between the parted lips of the photo something lies that is nearly as light as the skin: teeth.
 * Those that are painted take their colour. */
static bool find_own_teeth(struct mouth *mouth, const struct frame420 *photo)
{
    const struct face_map *map = mouth->map;
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
    if (count == 0 || sum[0] / count < 0.62f * mouth->enamel[0])
        return false;
    mouth->enamel[0] = fmaxf(sum[0] / count * 1.12f, mouth->enamel[0] * 0.8f);
    for (int c = 1; c < 3; c++)
        mouth->enamel[c] = (sum[c] / count + mouth->enamel[c]) / 2;
    return true;
}

void mouth_init(struct mouth *mouth, const struct face_map *map, const struct face *face,
                const struct frame420 *photo)
{
    *mouth = (struct mouth){.map = map};
    choose_colours(mouth, face, photo);
    mouth->own_teeth = find_own_teeth(mouth, photo);
    /* What lies low in the mouth is lit by lip and tongue. */
    mouth->shaded[0] = mouth->enamel[0];
    for (int i = 1; i < 3; i++)
        mouth->shaded[i] = lerpf(mouth->enamel[i], mouth->tongue[i], 0.3f);
    mouth->upper = teeth_new(upper_row, 12, map->px_per_mm, true);
    mouth->lower = teeth_new(lower_row, 10, map->px_per_mm, false);
    const struct face_column *middle = &map->columns[FACE_COLUMNS / 2];
    mouth->upper_edge = middle->upper + 3.2f * map->px_per_mm;
    if (mouth->own_teeth)
        mouth->upper_edge = fmaxf(mouth->upper_edge, middle->lower);
}

static void teeth_dispose(struct teeth *teeth)
{
    free(teeth->cover);
    free(teeth->shade);
}

void mouth_dispose(struct mouth *mouth)
{
    teeth_dispose(&mouth->upper);
    teeth_dispose(&mouth->lower);
}

/* --- one frame ----------------------------------------------------------------------------------
 */

void mouth_now_init(struct mouth_now *now, const struct mouth *mouth, const struct face_now *face,
                    const struct source *photo)
{
    const struct face_map *map = mouth->map;
    const struct mouth_pose *pose = &face->pose;
    float mm = map->px_per_mm;
    *now = (struct mouth_now){
        .mouth = mouth,
        .face = face,
        .photo = photo,
        .open = clampf(face->gap / (11 * mm), 0, 1),
        .own_share = 1,
    };
    if (!mouth->own_teeth)
        now->own_share = 1 - smoothstep(0.5f * mm, 3.5f * mm, face->gap - map->rest_gap);
    /* The lower lip hides most of the lower teeth, the less the further it is drawn down. */
    float shown = lerpf(0.2f + 0.45f * pose->lower, 2.7f, clampf(pose->teeth, 0, 1));
    now->lower_edge =
        fmaxf(face->columns[FACE_COLUMNS / 2].lower - shown * mm, mouth->upper_edge + 0.35f * mm);
    float behind = clampf(pose->tongue, 0, 1), between = clampf(pose->tip, 0, 1);
    float raised = fmaxf(behind, between);
    /* At rest it lies behind the lower teeth and comes into view as the jaw drops: of a mouth that
     * is wide open it fills the lower part. */
    float wide = fmaxf(face->gap - 10 * mm, 0);
    float low = now->lower_edge + lerpf(4.5f, -2.0f, smoothstep(0.35f, 0.85f, now->open)) * mm -
                0.3f * wide;
    float top = between > behind ? mouth->upper_edge - 1.8f * mm : mouth->upper_edge - 1.2f * mm;
    now->tip_y = lerpf(low, top, raised);
    now->tip_height = (4.0f + 3 * raised) * mm + 0.3f * wide;
    now->tip_width = (15 - 4.5f * raised) * mm;
    /* Deep in the mouth it is hardly lit, and pursed lips keep the light from the teeth. */
    now->tongue_light = lerpf(0.58f + 0.12f * now->open, 1, raised);
    now->teeth_light = 1 - 0.75f * smoothstep(0.7f, 1, pose->round) * (1 - pose->teeth);
    now->tip_light = lerpf(0.80f, between > behind ? 1.12f : 0.95f, raised);
}

static void mix(float colour[3], const float with[3], float light, float cover)
{
    colour[0] = lerpf(colour[0], 16 + (with[0] - 16) * light, cover);
    /* Shadows are less colourful. */
    float tint = 0.35f + 0.65f * fminf(light, 1);
    for (int i = 1; i < 3; i++)
        colour[i] = lerpf(colour[i], 128 + (with[i] - 128) * tint, cover);
}

/* A soft mound whose top lies at `top` in the middle. */
static void paint_tongue(const struct mouth_now *now, float x, float y, float light,
                         float colour[3])
{
    float mm = now->mouth->map->px_per_mm;
    float across = x / (now->tip_width * 1.35f);
    float top = now->tip_y + across * across * now->tip_height * 0.8f;
    float into = (y - top) / mm;
    if (into < -0.5f)
        return;
    float cover = smoothstep(-0.5f, 0.6f, into) * (1 - smoothstep(0.8f, 1.35f, fabsf(across)));
    float groove = 1 - 0.07f * expf(-x * x / (3 * mm * mm));
    float round = 0.62f + 0.38f * smoothstep(0, 3.2f, into);
    mix(colour, now->mouth->tongue,
        light * now->tip_light * groove * round * (1 - 0.25f * across * across), cover);
}

static void paint_teeth(const struct mouth_now *now, const struct teeth *teeth, float edge,
                        const float at[2], float light, float colour[3])
{
    float mm = now->mouth->map->px_per_mm;
    const float *enamel = teeth == &now->mouth->lower ? now->mouth->shaded : now->mouth->enamel;
    float curve = at[0] * at[0] / (mm * 190); /* the row rises towards the sides */
    struct tooth_hit hit = teeth_at(teeth, at[0], at[1] - edge + curve);
    if (hit.cover > 0)
        mix(colour, enamel, light * hit.shade, hit.cover);
}

/* The photo's own teeth and what lies below them there. */
static void paint_own(const struct mouth_now *now, const struct opening *opening, float y,
                      float colour[3])
{
    const struct face_map *map = now->mouth->map;
    float photo_y = y - opening->upper + opening->rest_upper;
    float soft = fmaxf(0.5f * map->px_per_mm, 1);
    float cover = 1 - smoothstep(opening->rest_lower - 1.6f * soft, opening->rest_lower, photo_y);
    cover *= now->own_share;
    if (cover <= 0)
        return;
    float px, py;
    axes_leave(&map->axes, opening->source_x, photo_y, &px, &py);
    const struct source *photo = now->photo;
    colour[0] = lerpf(colour[0], plane_at(&photo->luma, px, py), cover);
    for (int i = 0; i < 2; i++)
        colour[1 + i] =
            lerpf(colour[1 + i], plane_at(&photo->chroma[i], px / 2, (py - 0.5f) / 2), cover);
}

void mouth_colour(const struct mouth_now *now, const struct opening *opening, float x, float y,
                  float out_yuv[3])
{
    const struct mouth *mouth = now->mouth;
    float mm = mouth->map->px_per_mm;
    float side = clampf(fabsf(opening->inside), 0, 1);
    float below_lip = (y - opening->upper) / mm, above_lip = (opening->lower - y) / mm;
    /* Light comes in at the front: less of it in the corners and under the upper lip. */
    float light = (1 - 0.45f * side * side) * (0.74f + 0.26f * smoothstep(-0.6f, 2.2f, below_lip));
    float deep = 1 + 0.5f * smoothstep(3, 0, above_lip);

    out_yuv[0] = out_yuv[1] = out_yuv[2] = 0;
    mix(out_yuv, mouth->dark, deep, 1);
    paint_tongue(now, x, y, light * now->tongue_light, out_yuv);
    const float at[2] = {x, y};
    float shade =
        0.80f * (1 - 0.55f * side * side) * (0.55f + 0.45f * smoothstep(-0.3f, 2, above_lip));
    paint_teeth(now, &mouth->lower, now->lower_edge, at, shade * now->teeth_light, out_yuv);
    if (!mouth->own_teeth)
        paint_teeth(now, &mouth->upper, mouth->upper_edge, at, light * now->teeth_light, out_yuv);
    if (now->face->pose.tip > 0.3f) /* the tip lies over the lower teeth */
        paint_tongue(now, x, y, light, out_yuv);
    if (mouth->map->mouth_open)
        paint_own(now, opening, y, out_yuv);
}

float mouth_lip_light(const struct mouth_now *now, const struct opening *opening, float y)
{
    float mm = now->mouth->map->px_per_mm;
    float parted = clampf(
        (opening->lower - opening->upper - opening->rest_lower + opening->rest_upper) / (2 * mm), 0,
        1);
    if (parted <= 0)
        return 1;
    if (y < (opening->upper + opening->lower) / 2) {
        float into = (opening->upper - y) / mm;
        return 1 - 0.30f * parted * (1 - smoothstep(-0.4f, 1.1f, into));
    }
    float into = (y - opening->lower) / mm;
    float wet = expf(-(into - 1.7f) * (into - 1.7f) / 0.5f) *
                (1 - smoothstep(0.15f, 0.6f, fabsf(opening->inside)));
    return 1 - 0.26f * parted * (1 - smoothstep(-0.4f, 0.9f, into)) + 0.10f * parted * wet;
}
