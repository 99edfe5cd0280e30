/* SPDX-License-Identifier: Apache-2.0 */
#include "video/face_map.h"

#include <math.h>

#include "media/face_mesh.h"
#include "video/curve.h"
#include "video/renderer.h"

enum {
    CORNER_RIGHT = 61, /* of the person: on the left in the picture */
    CORNER_LEFT = 291,
    INNER_RIGHT = 78,
    INNER_LEFT = 308,
    EYE_RIGHT = 33,
    EYE_LEFT = 263,
    UPPER_MIDDLE = 13,
    LOWER_MIDDLE = 14,
    NOSE_BASE = 2,
    CHIN = 152,
    LIP_POINTS = 11,
    JAW_POINTS = 17,
};

static const int outer_upper[LIP_POINTS] = {61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291};
static const int outer_lower[LIP_POINTS] = {61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291};
static const int inner_upper[LIP_POINTS] = {78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308};
static const int inner_lower[LIP_POINTS] = {78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308};
static const int jaw_line[JAW_POINTS] = {132, 58,  172, 136, 150, 149, 176, 148, 152,
                                         377, 400, 378, 379, 365, 397, 288, 361};

/* A gap narrower than this is a closed mouth seen by a landmark model that is not sure, mm. */
static const float shut_gap_mm = 1.7f;

/* --- the face in the photo ---------------------------------------------------------------------
 */

static float distance(struct point3 a, struct point3 b)
{
    return hypotf(a.x - b.x, a.y - b.y);
}

static struct point3 between(struct point3 a, struct point3 b)
{
    return (struct point3){(a.x + b.x) / 2, (a.y + b.y) / 2, (a.z + b.z) / 2};
}

/* Across the eyes and from the eyes to the mouth. */
float face_px_per_mm(const struct face *face)
{
    const struct point3 *seen = face->points, *head = face_mesh_vertices;
    float across = distance(seen[EYE_RIGHT], seen[EYE_LEFT]) /
                   (distance(head[EYE_RIGHT], head[EYE_LEFT]) * fmaxf(cosf(face->yaw), 0.6f));
    float down = distance(between(seen[EYE_RIGHT], seen[EYE_LEFT]),
                          between(seen[CORNER_RIGHT], seen[CORNER_LEFT])) /
                 (distance(between(head[EYE_RIGHT], head[EYE_LEFT]),
                           between(head[CORNER_RIGHT], head[CORNER_LEFT])) *
                  fmaxf(cosf(face->pitch), 0.6f));
    return (across + down) / 2 / 10;
}

static struct axes mouth_axes(const struct face *face)
{
    const struct point3 *points = face->points;
    struct point3 middle = between(points[UPPER_MIDDLE], points[LOWER_MIDDLE]);
    float eyes = distance(points[EYE_RIGHT], points[EYE_LEFT]);
    float mouth = distance(points[CORNER_RIGHT], points[CORNER_LEFT]);
    float x = (points[EYE_LEFT].x - points[EYE_RIGHT].x) / fmaxf(eyes, 1e-3f) +
              (points[CORNER_LEFT].x - points[CORNER_RIGHT].x) / fmaxf(mouth, 1e-3f);
    float y = (points[EYE_LEFT].y - points[EYE_RIGHT].y) / fmaxf(eyes, 1e-3f) +
              (points[CORNER_LEFT].y - points[CORNER_RIGHT].y) / fmaxf(mouth, 1e-3f);
    float length = fmaxf(hypotf(x, y), 1e-3f);
    /* Landmarks measure from the corner of the first pixel, we from its middle. */
    return (struct axes){middle.x - 0.5f, middle.y - 0.5f, x / length, y / length};
}

void axes_place(const struct axes *axes, struct point3 point, float *out_x, float *out_y)
{
    axes_enter(axes, point.x - 0.5f, point.y - 0.5f, out_x, out_y);
}

struct curve axes_curve(const struct axes *axes, const struct face *face, const int *indices,
                        int count)
{
    struct curve curve = {0};
    for (int i = 0; i < count; i++) {
        float x, y;
        axes_place(axes, face->points[indices[i]], &x, &y);
        curve_add(&curve, x, y);
    }
    curve_finish(&curve);
    return curve;
}

static float luma_at(const struct frame420 *photo, float x, float y)
{
    int column = (int)clampf(x + 0.5f, 0, (float)photo->width - 1);
    int row = (int)clampf(y + 0.5f, 0, (float)photo->height - 1);
    return photo->planes[0][row * photo->strides[0] + column];
}

/* How far below `y` the dark line between closed lips runs at column x. */
static float dark_line_offset(const struct face_map *map, const struct frame420 *photo, float x,
                              float y)
{
    enum { SAMPLES = 17 };
    float reach = 1.6f * map->px_per_mm, luma[SAMPLES], brightest = 0;
    for (int i = 0; i < SAMPLES; i++) {
        float offset = reach * (2.0f * (float)i / (SAMPLES - 1) - 1), px, py;
        axes_leave(&map->axes, x, y + offset, &px, &py);
        luma[i] = luma_at(photo, px, py);
        brightest = fmaxf(brightest, luma[i]);
    }
    float sum = 1e-3f, weighted = 0;
    for (int i = 0; i < SAMPLES; i++) {
        float t = 2.0f * (float)i / (SAMPLES - 1) - 1;
        float dark = (brightest - luma[i]) * (1 - t * t);
        sum += dark * dark * dark;
        weighted += dark * dark * dark * t * reach;
    }
    return weighted / sum;
}

/* Closed lips: both edges become one line, where the photo is darkest. */
static void join_lips(struct face_map *map, const struct frame420 *photo)
{
    enum { SMOOTH = 6 };
    float offset[FACE_COLUMNS + 1] = {0};
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        struct face_column *column = &map->columns[i];
        if (fabsf(column->inside) > 1)
            continue;
        float x = map->left + map->step * (float)i;
        float line = (column->upper + column->lower) / 2;
        offset[i] = dark_line_offset(map, photo, x, line) *
                    (1 - smoothstep(0.8f, 1, fabsf(column->inside)));
    }
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        struct face_column *column = &map->columns[i];
        float sum = 0;
        for (int j = -SMOOTH; j <= SMOOTH; j++)
            sum += offset[(int)clampf((float)(i + j), 0, FACE_COLUMNS)];
        float line = (column->upper + column->lower) / 2 + sum / (2 * SMOOTH + 1);
        column->upper = column->lower = line;
    }
}

struct outline {
    struct curve outer_upper, outer_lower, inner_upper, inner_lower, jaw;
    float nose_y, eye_y, jaw_left, jaw_right;
};

static void column_init(const struct face_map *map, const struct outline *outline, float x,
                        struct face_column *out)
{
    float mm = map->px_per_mm;
    float outer = x < 0 ? map->outer_left : map->outer_right;
    float inner = x < 0 ? map->inner_left : map->inner_right;
    float reach = fabsf(x) / outer;
    float jaw_x = fabsf(x) / fmaxf(x < 0 ? outline->jaw_left : outline->jaw_right, outer * 1.3f);
    *out = (struct face_column){
        .inside = x / inner,
        .reach = reach,
        .corner = 1 - smoothstep(1, 2.3f, reach),
        .jaw = 1 - smoothstep(0.30f, 1.02f, jaw_x),
        .upper = curve_at(&outline->inner_upper, x),
        .lower = curve_at(&outline->inner_lower, x),
        .upper_outer = curve_at(&outline->outer_upper, x),
        .lower_outer = curve_at(&outline->outer_lower, x),
    };
    if (fabsf(out->inside) >= 1) { /* between inner and outer corner, and outside */
        float corner = curve_at(&outline->outer_upper, x);
        float t = smoothstep(inner, outer, fabsf(x));
        out->upper = lerpf(out->upper, corner, t);
        out->lower = lerpf(out->lower, corner, t);
        out->upper = out->lower = (out->upper + out->lower) / 2;
    }
    out->upper_outer = fminf(out->upper_outer, out->upper);
    out->lower_outer = fmaxf(out->lower_outer, out->lower);
    float cheek = lerpf(outline->nose_y, lerpf(outline->eye_y, outline->nose_y, 0.45f),
                        smoothstep(0.5f, 1.3f, reach));
    out->top = fminf(cheek, out->upper_outer - 3 * mm);
    out->chin = fmaxf(curve_at(&outline->jaw, x), out->lower_outer + 8 * mm);
    out->crease = lerpf(out->lower_outer, out->chin, 0.42f);
    out->neck = out->chin + 28 * mm;
}

static struct outline outline_of(const struct face_map *map, const struct face *face)
{
    const struct axes *axes = &map->axes;
    struct outline outline = {
        .outer_upper = axes_curve(axes, face, outer_upper, LIP_POINTS),
        .outer_lower = axes_curve(axes, face, outer_lower, LIP_POINTS),
        .inner_upper = axes_curve(axes, face, inner_upper, LIP_POINTS),
        .inner_lower = axes_curve(axes, face, inner_lower, LIP_POINTS),
        .jaw = axes_curve(axes, face, jaw_line, JAW_POINTS),
    };
    float x;
    axes_place(axes, face->points[NOSE_BASE], &x, &outline.nose_y);
    axes_place(axes, between(face->points[EYE_RIGHT], face->points[EYE_LEFT]), &x, &outline.eye_y);
    outline.jaw_left = -outline.jaw.x[0];
    outline.jaw_right = outline.jaw.x[outline.jaw.count - 1];
    return outline;
}

static void measure_corners(struct face_map *map, const struct face *face)
{
    float y, smallest = 6 * map->px_per_mm;
    axes_place(&map->axes, face->points[CORNER_RIGHT], &map->outer_left, &y);
    axes_place(&map->axes, face->points[CORNER_LEFT], &map->outer_right, &y);
    axes_place(&map->axes, face->points[INNER_RIGHT], &map->inner_left, &y);
    axes_place(&map->axes, face->points[INNER_LEFT], &map->inner_right, &y);
    map->outer_left = fmaxf(-map->outer_left, smallest);
    map->outer_right = fmaxf(map->outer_right, smallest);
    map->inner_left = clampf(-map->inner_left, smallest * 0.8f, map->outer_left * 0.97f);
    map->inner_right = clampf(map->inner_right, smallest * 0.8f, map->outer_right * 0.97f);
}

static float gain_of(const struct face_map *map)
{
    const struct face_column *middle = &map->columns[FACE_COLUMNS / 2];
    float mm = map->px_per_mm;
    float lips = (middle->upper - middle->upper_outer + middle->lower_outer - middle->lower) / mm;
    float thin = 1 - smoothstep(12, 17, lips), small = 1 - smoothstep(1, 1.6f, mm);
    return 1 + (0.30f * thin + 0.32f * small) * (1 - fminf(map->rest_gap / (6 * mm), 1));
}

void face_map_init(struct face_map *map, const struct face *face, const struct frame420 *photo)
{
    *map = (struct face_map){.axes = mouth_axes(face), .px_per_mm = face_px_per_mm(face)};
    measure_corners(map, face);
    struct outline outline = outline_of(map, face);
    float mm = map->px_per_mm;
    map->half_width = fmaxf(fmaxf(outline.jaw_left, outline.jaw_right) * 1.05f,
                            fmaxf(map->outer_left, map->outer_right) * 2.35f);
    map->left = -map->half_width;
    map->step = 2 * map->half_width / FACE_COLUMNS;
    float widest = 0;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        struct face_column *column = &map->columns[i];
        column_init(map, &outline, map->left + map->step * (float)i, column);
        column->lower = fmaxf(column->lower, column->upper);
        widest = fmaxf(widest, column->lower - column->upper);
    }
    map->mouth_open = widest > shut_gap_mm * mm;
    if (!map->mouth_open)
        join_lips(map, photo);
    map->rest_gap = map->mouth_open ? widest : 0;
    map->parted = clampf((map->rest_gap / mm - 2) / 7, 0, 1);
    map->gain = gain_of(map);
    map->top = 0;
    map->bottom = 0;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        struct face_column *column = &map->columns[i];
        column->upper_outer = fminf(column->upper_outer, column->upper);
        column->lower_outer = fmaxf(column->lower_outer, column->lower);
        map->top = fminf(map->top, column->top);
        map->bottom = fmaxf(map->bottom, column->neck);
    }
}

/* --- the face now ------------------------------------------------------------------------------
 */

/* How far the lips part along the mouth: 1 in the middle, 0 at the inner corners. */
static float parting(float inside, float narrow, float fuller)
{
    float at = fabsf(inside) / (1 - 0.22f * narrow);
    if (at >= 1)
        return 0;
    float rest = 1 - at * at;
    return rest * (1 + fuller * (1 - rest)); /* rounder than a parabola */
}

static void column_now(const struct face_map *map, const struct mouth_pose *pose,
                       const struct face_column *column, struct face_column_now *out)
{
    float mm = map->px_per_mm;
    float part = parting(column->inside, pose->round, 0.35f * (1 - map->parted));
    float jaw = pose->jaw * mm;
    float corner = 0.22f * jaw * column->corner;
    float rest_gap = column->lower - column->upper;

    /* A mouth that is open in the photo closes for what needs closed lips, and its vowels open
     * wider than others do, or they would not stand out. */
    float closing = fmaxf(pose->press, pose->tuck * 0.42f) * rest_gap;
    float open =
        (1 - pose->press) * (1 + map->parted * (0.52f + 0.58f * smoothstep(2, 8, pose->jaw)));
    float down_upper =
        corner * (1 - 0.85f * part) - pose->upper * mm * part * open + 0.25f * closing;
    float down_lower = corner * (1 - part) + (0.92f * jaw + pose->lower * mm) * part * open -
                       0.75f * closing - 0.6f * mm * pose->tuck * part;

    /* Lips grow thinner when stretched or pressed, thicker when pushed forward. */
    float stretched = 0.006f * (pose->jaw + fmaxf(pose->wide, 0) * 2);
    float thick = 1 - stretched + 0.16f * pose->round;
    float thinner = lerpf(0.30f, -0.30f, map->parted); /* but those of a smile were stretched */
    float shape = 1 - smoothstep(0.75f, 1, column->reach);
    float upper_thick = 1 + (thick * (1 - thinner * pose->press) - 1) * shape;
    float lower_thick =
        1 + (thick * (1 - (thinner + 0.04f) * pose->press) * (1 - 0.5f * pose->tuck) - 1) * shape;
    float upper_rest = column->upper - column->upper_outer;
    float lower_rest = column->lower_outer - column->lower;

    float chin =
        (jaw * 0.98f - pose->press * 0.25f * mm - pose->tuck * 0.4f * mm - 0.35f * closing) *
        column->jaw;
    float below = down_lower + lower_rest * (lower_thick - 1);
    out->by_upper = down_upper;
    out->by_lower = down_lower;
    out->by_upper_outer = down_upper - upper_rest * (upper_thick - 1);
    out->by_lower_outer = below;
    out->by_chin = chin;
    out->by_crease = lerpf(below, chin, 0.55f);

    out->top = column->top;
    out->upper_outer = column->upper_outer + out->by_upper_outer;
    out->upper = column->upper + out->by_upper;
    out->lower = fmaxf(column->lower + out->by_lower, out->upper);
    out->by_lower = out->lower - column->lower;
    out->lower_outer = fmaxf(column->lower_outer + out->by_lower_outer, out->lower);
    out->by_lower_outer = out->lower_outer - column->lower_outer;
    out->crease = column->crease + out->by_crease;
    out->chin = column->chin + chin;
    out->neck = column->neck;
}

void face_now_init(struct face_now *now, const struct face_map *map, const struct mouth_pose *pose)
{
    now->map = map;
    now->pose = *pose;
    now->pose.jaw *= map->gain;
    now->pose.upper *= map->gain;
    now->pose.lower *= map->gain;
    pose = &now->pose;
    /* Where little is seen of the lips, what parts them at all parts them visibly. */
    float parted = mouth_pose_gap(pose) * (1 - fminf(pose->tuck, 1));
    now->pose.lower += 3.2f * (map->gain - 1) * smoothstep(0.3f, 2.2f, parted);
    /* A smile's corners come in when it opens further or shuts. */
    now->wide = (pose->wide - (0.10f + 0.10f * map->parted) * pose->jaw -
                 2.0f * map->parted * pose->press) *
                map->px_per_mm;
    now->moving = !mouth_pose_is_still(pose);
    now->gap = 0;
    for (int i = 0; i <= FACE_COLUMNS; i++) {
        column_now(map, pose, &map->columns[i], &now->columns[i]);
        now->gap = fmaxf(now->gap, now->columns[i].lower - now->columns[i].upper);
    }
}

/* Corners move apart and the cheeks with them, less the further away. */
static float source_x(const struct face_now *now, float x, float y)
{
    const struct face_map *map = now->map;
    float outer = (x < 0 ? map->outer_left : map->outer_right) + now->wide;
    float reach = fabsf(x) / outer;
    float along = reach < 1 ? reach : 1 - smoothstep(1, 2.3f, reach);
    float far = y / ((y < 0 ? 13.0f : 19.0f) * map->px_per_mm);
    float fade = 1 / (1 + far * far * far * far);
    float outwards = now->wide * along * fade;
    return x < 0 ? x + outwards : x - outwards;
}

static inline float column_at(const struct face_map *map, float x, int *out_index)
{
    float at = clampf((x - map->left) / map->step, 0, (float)FACE_COLUMNS - 0.001f);
    *out_index = (int)at;
    return at - (float)*out_index;
}

static inline struct face_column_now blend_columns(const struct face_now *now, float x)
{
    int index;
    float share = column_at(now->map, x, &index);
    struct face_column_now out;
    const float *from = &now->columns[index].top, *to = &now->columns[index + 1].top;
    float *value = &out.top;
    for (int i = 0; i < 16; i++)
        value[i] = from[i] + (to[i] - from[i]) * share;
    return out;
}

static float moved_above(const struct face_column_now *at, float y)
{
    if (y >= at->upper)
        return at->by_upper;
    if (y >= at->upper_outer)
        return lerpf(at->by_upper_outer, at->by_upper,
                     (y - at->upper_outer) / fmaxf(at->upper - at->upper_outer, 1e-3f));
    return at->by_upper_outer * smoothstep(at->top, at->upper_outer, y);
}

static float moved_below(const struct face_column_now *at, float y)
{
    if (y <= at->lower)
        return at->by_lower;
    if (y <= at->lower_outer)
        return lerpf(at->by_lower, at->by_lower_outer,
                     (y - at->lower) / fmaxf(at->lower_outer - at->lower, 1e-3f));
    if (y <= at->crease)
        return lerpf(at->by_lower_outer, at->by_crease, smoothstep(at->lower_outer, at->crease, y));
    if (y <= at->chin)
        return lerpf(at->by_crease, at->by_chin, smoothstep(at->crease, at->chin, y));
    return at->by_chin * (1 - smoothstep(at->chin, at->neck, y));
}

void face_now_source(const struct face_now *now, enum face_sheet sheet, float x, float y,
                     float *out_x, float *out_y)
{
    *out_x = source_x(now, x, y);
    struct face_column_now at = blend_columns(now, *out_x);
    if (sheet == SHEET_NEAREST)
        sheet = y * 2 < at.upper + at.lower ? SHEET_ABOVE : SHEET_BELOW;
    *out_y = y - (sheet == SHEET_ABOVE ? moved_above(&at, y) : moved_below(&at, y));
}

struct opening face_now_opening(const struct face_now *now, float x, float y)
{
    const struct face_map *map = now->map;
    struct opening opening = {.source_x = source_x(now, x, y)};
    int index;
    float share = column_at(map, opening.source_x, &index);
    const struct face_column_now *from = &now->columns[index], *to = from + 1;
    const struct face_column *rest = &map->columns[index];
    opening.upper = lerpf(from->upper, to->upper, share);
    opening.lower = lerpf(from->lower, to->lower, share);
    opening.rest_upper = lerpf(rest[0].upper, rest[1].upper, share);
    opening.rest_lower = lerpf(rest[0].lower, rest[1].lower, share);
    opening.inside = lerpf(rest[0].inside, rest[1].inside, share);
    float upper_slope = (to->upper - from->upper) / map->step;
    float lower_slope = (to->lower - from->lower) / map->step;
    opening.upper_steep = sqrtf(1 + upper_slope * upper_slope);
    opening.lower_steep = sqrtf(1 + lower_slope * lower_slope);
    return opening;
}
