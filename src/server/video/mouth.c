/* SPDX-License-Identifier: Apache-2.0 */
#include "video/mouth.h"

#include <math.h>

#include "video/curve.h"
#include "video/renderer.h"
#include "video/warp.h"

/* mm: how far the upper teeth end below the line where closed lips meet. */
static const float teeth_below_line = 3.2f;

void mouth_init(struct mouth *mouth, const struct face_map *map, const struct face *face,
                const struct frame420 *photo)
{
    *mouth = (struct mouth){.map = map, .turned = sinf(face->yaw)};
    mouth->palette = palette_of(map, face, photo);
    mouth->upper = teeth_new(true, map->px_per_mm, face->yaw);
    mouth->lower = teeth_new(false, map->px_per_mm, face->yaw);
    const struct face_column *middle = &map->columns[FACE_COLUMNS / 2];
    mouth->upper_edge = middle->upper + teeth_below_line * map->px_per_mm;
    if (mouth->palette.own_teeth)
        mouth->upper_edge = fmaxf(mouth->upper_edge, middle->lower);
}

void mouth_dispose(struct mouth *mouth)
{
    teeth_dispose(&mouth->upper);
    teeth_dispose(&mouth->lower);
}

/* --- one frame ----------------------------------------------------------------------------------
 */

/* At rest the tongue lies behind the lower teeth, wide and soft, and comes into view as the jaw
 * drops. Its tip rises behind the upper teeth, or comes forward between the rows. */
static struct tongue_now tongue_of(const struct mouth_now *now, float low_lip)
{
    const struct mouth_pose *pose = &now->face->pose;
    float mm = now->mouth->map->px_per_mm;
    float behind = clampf(pose->tongue, 0, 1), between = clampf(pose->tip, 0, 1);
    float raised = smoothstep(0, 0.7f, fmaxf(behind, between));
    bool out = between > behind;
    float gap = now->face->gap / mm;
    float low = low_lip - clampf(0.44f * gap - 1.2f, -2, 8) * mm;
    float high = now->upper_edge - (out ? 1.5f : 1.2f) * mm;
    /* Lit from the front: deep in the mouth it is hardly seen, between the teeth it is wet. */
    float light = out ? 1.10f : lerpf(0.70f, 1.0f, behind);
    float at_rest = lerpf(0.34f, 0.52f, smoothstep(6, 12, gap)) + 0.18f * smoothstep(15, 24, gap);
    return (struct tongue_now){
        .top = lerpf(low, fminf(high, low), raised),
        .fall = lerpf(3.5f, out ? 1.6f : 4.5f, raised) * mm,
        .width = lerpf(19, out ? 11 : 8, raised) * mm,
        .soft = lerpf(clampf(0.3f * gap, 0.8f, 2.6f), 0.6f, raised) * mm,
        .light = lerpf(at_rest, light, raised),
    };
}

/* How far from the lips' edges their light reaches, see mouth_lip_light. */
static const float above_lit_mm = 1.1f, below_lit_mm = 0.9f, wet_mm = 4, wet_inside = 0.6f;

/* Skin moves along as the corners do, so neighbours count as well. */
static void find_sheets(struct mouth_now *now)
{
    const struct face_map *map = now->face->map;
    float above[FACE_COLUMNS + 1], below[FACE_COLUMNS + 1], mm = map->px_per_mm;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        const struct face_column_now *left = &now->face->columns[i > 0 ? i - 1 : 0];
        const struct face_column_now *here = &now->face->columns[i];
        const struct face_column_now *right =
            &now->face->columns[i < FACE_COLUMNS ? i + 1 : FACE_COLUMNS];
        float slope =
            fmaxf(fmaxf(fabsf(here->upper - left->upper), fabsf(right->upper - here->upper)),
                  fmaxf(fabsf(here->lower - left->lower), fabsf(right->lower - here->lower))) /
            map->step;
        float soft = 0.5f * (1 + slope);
        bool wet = fabsf(map->columns[i].inside) < wet_inside + 0.1f;
        above[i] = here->upper - soft - above_lit_mm * mm;
        below[i] = here->lower + soft + (wet ? wet_mm : below_lit_mm) * mm;
    }
    int near = (int)(fabsf(now->face->wide) / map->step) + 2;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        int from = i > near ? i - near : 0;
        int to = i + near < FACE_COLUMNS ? i + near : FACE_COLUMNS;
        now->all_above[i] = above[from];
        now->all_below[i] = below[from];
        for (int j = from + 1; j <= to; j++) {
            now->all_above[i] = fminf(now->all_above[i], above[j]);
            now->all_below[i] = fmaxf(now->all_below[i], below[j]);
        }
    }
}

enum mouth_part mouth_part_at(const struct mouth_now *now, float x, float y)
{
    const struct face_map *map = now->face->map;
    int column = (int)clampf((x - map->left) / map->step, 0, FACE_COLUMNS);
    return y <= now->all_above[column]   ? MOUTH_ABOVE
           : y >= now->all_below[column] ? MOUTH_BELOW
                                         : MOUTH_MIXED;
}

void mouth_now_init(struct mouth_now *now, const struct mouth *mouth, const struct face_now *face,
                    const struct source *photo)
{
    const struct face_map *map = mouth->map;
    const struct mouth_pose *pose = &face->pose;
    const struct face_column_now *middle = &face->columns[FACE_COLUMNS / 2];
    float mm = map->px_per_mm;
    *now = (struct mouth_now){
        .mouth = mouth,
        .face = face,
        .photo = photo,
        .upper_edge = mouth->upper_edge,
        .tongue_out = pose->tip > 0.3f,
        .own_share = 1,
    };
    if (mouth->palette.own_teeth)
        now->upper_edge += middle->by_upper;
    else
        now->own_share = 1 - smoothstep(0.5f * mm, 3.5f * mm, face->gap - map->rest_gap);
    /* The lower lip hides most of the lower teeth, the less the further it is drawn down. */
    float together = clampf(pose->teeth, 0, 1);
    /* A laugh that opens wide draws it down further. */
    float wide = map->parted * smoothstep(9, 18, face->gap / mm);
    float shown = lerpf(0.3f * pose->lower - 0.4f, 2.9f, fmaxf(together, 0.7f * wide));
    now->lower_edge =
        fmaxf(middle->lower - shown * mm, now->upper_edge + lerpf(0.9f, 0.4f, together) * mm);
    now->tongue = tongue_of(now, middle->lower);
    /* Pursed lips keep the light from the teeth. */
    float round = clampf(pose->round, 0, 1) * (1 - together);
    now->upper_light =
        1 - 0.10f * smoothstep(0.15f, 0.5f, round) - 0.50f * smoothstep(0.8f, 1, round);
    now->lower_light = now->upper_light * lerpf(0.62f, 0.84f, together);
    find_sheets(now);
}

static void mix(float colour[3], const float with[3], float light, float cover)
{
    colour[0] = lerpf(colour[0], 16 + (with[0] - 16) * light, cover);
    /* Shadows are less colourful. */
    float tint = 0.35f + 0.65f * fminf(light, 1);
    for (int i = 1; i < 3; i++)
        colour[i] = lerpf(colour[i], 128 + (with[i] - 128) * tint, cover);
}

/* A place in the mouth, seen from what surrounds it. */
struct place {
    float x, y;              /* px in the axes */
    float below_lip, to_lip; /* mm from the upper lip down, and on to the lower one */
    float light; /* that falls there: less of it in the corners and away from the lamp */
    float side;  /* 0 in the middle, 1 in the corners */
};

static struct place place_at(const struct mouth_now *now, const struct opening *opening, float x,
                             float y)
{
    float mm = now->mouth->map->px_per_mm, side = clampf(fabsf(opening->inside), 0, 1);
    float across = clampf(x / (26 * mm), -1, 1);
    float corner = 1 - 0.36f * side * side - 0.32f * smoothstep(0.75f, 1, side);
    return (struct place){
        .x = x,
        .y = y,
        .below_lip = (y - opening->upper) / mm,
        .to_lip = (opening->lower - y) / mm,
        .light = corner * (1 + now->mouth->palette.tilt * across),
        .side = side,
    };
}

/* Red flesh in the light of the lips, lost in the dark further in. */
static void paint_depth(const struct mouth_now *now, const struct place *place, float colour[3])
{
    const struct palette *palette = &now->mouth->palette;
    float low = 1 - smoothstep(0, 13, place->to_lip);
    float near_lip = smoothstep(4, 0, place->to_lip);
    mix(colour, palette->dark, 0.90f + 0.25f * low - 0.15f * near_lip, 1);
    mix(colour, palette->tongue, 0.30f * place->light,
        0.30f * low * (1 - 0.7f * near_lip) * (1 - 0.6f * place->side * place->side));
}

static void paint_tongue(const struct mouth_now *now, const struct place *place, float colour[3])
{
    const struct tongue_now *tongue = &now->tongue;
    float mm = now->mouth->map->px_per_mm;
    float x = place->x + 8 * mm * now->mouth->turned; /* it lies behind the lips */
    /* Broader below its tip. */
    float across = x / (tongue->width * (1 + 0.09f * clampf((place->y - tongue->top) / mm, 0, 8)));
    float into = place->y - (tongue->top + across * across * tongue->fall);
    if (into < -tongue->soft || fabsf(across) >= 1.25f)
        return;
    float cover = smoothstep(-tongue->soft, tongue->soft, into) *
                  (1 - smoothstep(0.72f, 1.25f, fabsf(across)));
    into /= mm;
    float groove = 1 - 0.06f * expf(-x * x / (3 * mm * mm));
    float edge = now->tongue_out ? 0.74f : 0.58f;
    float round = edge + (1 - edge) * smoothstep(0, 3.4f, into);
    float lip = now->tongue_out ? 0.45f : 0.30f; /* the lower lip and its teeth throw a shadow */
    lip += (1 - lip) * smoothstep(0, now->tongue_out ? 1.5f : 2.4f, place->to_lip);
    float light = tongue->light * place->light * groove * round * lip;
    light *= 1 - 0.32f * fminf(across * across, 1);
    if (now->tongue_out)
        light *= 1 + 0.16f * expf(-(into - 1.5f) * (into - 1.5f) / 0.5f) * (1 - fabsf(across));
    mix(colour, now->mouth->palette.tongue, light, cover);
}

static void paint_teeth(const struct mouth_now *now, bool upper, const struct place *place,
                        float colour[3])
{
    const struct mouth *mouth = now->mouth;
    const struct teeth *teeth = upper ? &mouth->upper : &mouth->lower;
    float edge = upper ? now->upper_edge : now->lower_edge, light = place->light;
    float curve = place->x * place->x / (mouth->map->px_per_mm * 190); /* it rises at the sides */
    struct tooth_hit hit = teeth_at(teeth, place->x, place->y - edge + curve);
    if (hit.cover <= 0)
        return;
    if (upper) /* in the shadow of the lip */
        light *= now->upper_light * (0.80f + 0.20f * smoothstep(-0.6f, 2.4f, place->below_lip));
    else
        light *= now->lower_light * (0.5f + 0.5f * smoothstep(-0.3f, 2, place->to_lip));
    light *= hit.shade;
    /* What light there is in the shadow comes from lips and tongue. */
    const float *enamel = upper ? mouth->palette.enamel : mouth->palette.shaded;
    float tinted[3] = {enamel[0]}, red = 0.9f * clampf(1 - light, 0, 1);
    for (int i = 1; i < 3; i++)
        tinted[i] = lerpf(enamel[i], mouth->palette.tongue[i], red);
    mix(colour, tinted, light, hit.cover);
}

/* How far the lips stand apart beyond what the photo shows: 1 from two millimetres on. */
static float parted_by(const struct mouth_now *now, const struct opening *opening)
{
    float by = opening->lower - opening->upper - opening->rest_lower + opening->rest_upper;
    return clampf(by / (2 * now->mouth->map->px_per_mm), 0, 1);
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
    /* The upper lip lifts off them as the mouth opens. */
    float shadow = 1 - smoothstep(-0.5f, 3, (y - opening->upper) / map->px_per_mm);
    float light = 1 - 0.4f * parted_by(now, opening) * shadow;
    float luma = 16 + (plane_at(&photo->luma, px, py) - 16) * light;
    colour[0] = lerpf(colour[0], luma, cover);
    for (int i = 0; i < 2; i++)
        colour[1 + i] =
            lerpf(colour[1 + i], plane_at(&photo->chroma[i], px / 2, (py - 0.5f) / 2), cover);
}

void mouth_colour(const struct mouth_now *now, const struct opening *opening, float x, float y,
                  float out_yuv[3])
{
    const struct mouth *mouth = now->mouth;
    struct place place = place_at(now, opening, x, y);
    out_yuv[0] = out_yuv[1] = out_yuv[2] = 0;
    paint_depth(now, &place, out_yuv);
    if (!now->tongue_out)
        paint_tongue(now, &place, out_yuv);
    paint_teeth(now, false, &place, out_yuv);
    if (!mouth->palette.own_teeth)
        paint_teeth(now, true, &place, out_yuv);
    if (mouth->map->mouth_open)
        paint_own(now, opening, y, out_yuv);
    if (now->tongue_out)
        paint_tongue(now, &place, out_yuv);
}

float mouth_lip_light(const struct mouth_now *now, const struct opening *opening, float y)
{
    float mm = now->mouth->map->px_per_mm;
    float parted = parted_by(now, opening);
    if (parted <= 0)
        return 1;
    if (y < (opening->upper + opening->lower) / 2) {
        /* Where the photo shows the lip over its teeth it shows its shadow, too. */
        float shadow = now->mouth->palette.own_teeth ? 0.25f : 0.34f;
        float into = (opening->upper - y) / mm;
        return 1 - shadow * parted * (1 - smoothstep(-0.4f, above_lit_mm, into));
    }
    float into = (y - opening->lower) / mm;
    float wet = expf(-(into - 1.7f) * (into - 1.7f) / 0.5f) *
                (1 - smoothstep(0.15f, wet_inside, fabsf(opening->inside)));
    return 1 - 0.26f * parted * (1 - smoothstep(-0.4f, below_lit_mm, into)) + 0.12f * parted * wet;
}
