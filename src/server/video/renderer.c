/* SPDX-License-Identifier: Apache-2.0 */
#include "video/renderer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "video/articulation.h"
#include "video/curve.h"
#include "video/eye.h"
#include "video/face_map.h"
#include "video/frame420.h"
#include "video/gesture.h"
#include "video/mouth.h"
#include "video/warp.h"

/* A frame begins as a copy of what never moves. Then every tile that something moves in is drawn
 * over it: coarse maps where the skin moves smoothly, pixel by pixel where lips part or lids
 * close. */

struct bounds {
    int left, top, right, bottom; /* right and bottom are outside */
};

struct renderer {
    int width, height, fps, frames;
    bool sway;
    struct viseme_track track;
    struct gesture_source gestures;
    struct frame420 base;
    struct source photo;
    struct face_map face;
    struct mouth mouth;
    struct eye eyes[2];
    const struct picture *still; /* RGB of the base, borrowed */
};

struct moment {
    const struct renderer *renderer;
    struct gesture gesture;
    struct face_now face;
    struct mouth_now mouth;
    struct eye_now eyes[2];
    struct bounds face_box, mouth_box, eye_boxes[2], brow_box;
};

/* --- bounds -------------------------------------------------------------------------------------
 */

static struct bounds bounds_of(const struct axes *axes, float left, float top, float right,
                               float bottom)
{
    float x[4], y[4];
    axes_leave(axes, left, top, &x[0], &y[0]);
    axes_leave(axes, right, top, &x[1], &y[1]);
    axes_leave(axes, left, bottom, &x[2], &y[2]);
    axes_leave(axes, right, bottom, &x[3], &y[3]);
    struct bounds bounds = {
        .left = (int)floorf(fminf(fminf(x[0], x[1]), fminf(x[2], x[3]))),
        .top = (int)floorf(fminf(fminf(y[0], y[1]), fminf(y[2], y[3]))),
        .right = (int)ceilf(fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]))) + 1,
        .bottom = (int)ceilf(fmaxf(fmaxf(y[0], y[1]), fmaxf(y[2], y[3]))) + 1,
    };
    return bounds;
}

static bool touches(const struct bounds *bounds, const struct tile *tile)
{
    return tile->x < bounds->right && tile->x + tile->width > bounds->left &&
           tile->y < bounds->bottom && tile->y + tile->height > bounds->top;
}

/* --- where a pixel comes from
 * --------------------------------------------------------------------- */

static void source_of(const struct moment *moment, enum face_sheet sheet, float x, float y,
                      float *out_x, float *out_y)
{
    const struct renderer *renderer = moment->renderer;
    float from_x = x, from_y = y;
    if (moment->face.moving) {
        const struct face_map *map = &renderer->face;
        float mx, my;
        axes_enter(&map->axes, x, y, &mx, &my);
        if (fabsf(mx) < map->half_width && my > map->top && my < map->bottom) {
            float sx, sy;
            face_now_source(&moment->face, sheet, mx, my, &sx, &sy);
            sx -= mx;
            sy -= my;
            from_x += sx * map->axes.cos - sy * map->axes.sin;
            from_y += sx * map->axes.sin + sy * map->axes.cos;
        }
    }
    if (moment->gesture.brows != 0)
        for (int i = 0; i < 2; i++) {
            const struct eye *eye = &renderer->eyes[i];
            float ex, ey;
            axes_enter(&eye->axes, x, y, &ex, &ey);
            float lift = moment->gesture.brows * eye->px_per_mm * eye_brow_share(eye, ex, ey);
            from_x -= lift * eye->axes.sin;
            from_y += lift * eye->axes.cos;
        }
    float most = SOURCE_PAD - 4;
    *out_x = clampf(from_x, -most, (float)renderer->width + most);
    *out_y = clampf(from_y, -most, (float)renderer->height + most);
}

/* True when something in it moves. */
static bool map_tile(const struct moment *moment, const struct tile *tile, int cells,
                     enum face_sheet sheet, struct tile_map *out)
{
    bool moves = false;
    out->cells = cells;
    for (int j = 0; j <= cells; j++)
        for (int i = 0; i <= cells; i++) {
            float x = (float)(tile->x + i * TILE / cells), y = (float)(tile->y + j * TILE / cells);
            float from_x, from_y;
            source_of(moment, sheet, x, y, &from_x, &from_y);
            out->dx[j][i] = from_x - x;
            out->dy[j][i] = from_y - y;
            moves |= from_x != x || from_y != y;
        }
    return moves;
}

/* --- drawing
 * --------------------------------------------------------------------------------------- */

struct pixels {
    uint8_t luma[TILE * TILE], chroma[2][TILE * TILE];
};

static void warp_all(const struct source *from, const struct tile *tile, const struct tile_map *map,
                     struct pixels *out)
{
    warp_tile(&from->luma, PLANE_LUMA, tile, map, out->luma);
    for (int i = 0; i < 2; i++)
        warp_tile(&from->chroma[i], PLANE_CHROMA, tile, map, out->chroma[i]);
}

static uint8_t to_byte(float value)
{
    return (uint8_t)clampf(value + 0.5f, 0, 255);
}

/* One pixel of the mouth: both sheets at hand, what share of it each covers, and between them the
 * mouth's inside. `plane` 0 is luma, 1 and 2 chroma. */
struct blend {
    float above, below, light;
    float inside[3];
};

static struct blend mouth_blend(const struct moment *moment, float px, float py)
{
    const struct renderer *renderer = moment->renderer;
    float x, y;
    axes_enter(&renderer->face.axes, px, py, &x, &y);
    struct opening opening = face_now_opening(&moment->face, x, y);
    struct blend blend = {.light = 1};
    blend.above = clampf(opening.upper - y + 0.5f, 0, 1);
    blend.below = clampf(y - opening.lower + 0.5f, 0, 1);
    float sum = blend.above + blend.below;
    if (sum > 1) {
        blend.above /= sum;
        blend.below /= sum;
    }
    if (sum < 1)
        mouth_colour(&moment->mouth, &opening, x, y, blend.inside);
    if (fabsf(opening.inside) < 1)
        blend.light = mouth_lip_light(&moment->mouth, &opening, y);
    return blend;
}

static float blend_of(const struct blend *blend, int plane, uint8_t above, uint8_t below)
{
    float skin = above * blend->above + below * blend->below;
    float covered = blend->above + blend->below;
    if (plane == 0)
        skin = 16 * covered + (skin - 16 * covered) * blend->light;
    return skin + blend->inside[plane] * (1 - covered);
}

static void draw_mouth(const struct moment *moment, const struct tile *tile, struct pixels *pixels)
{
    const struct source *photo = &moment->renderer->photo;
    struct tile_map map;
    struct pixels below;
    map_tile(moment, tile, TILE_CELLS, SHEET_BELOW, &map);
    warp_all(photo, tile, &map, &below);
    map_tile(moment, tile, TILE_CELLS, SHEET_ABOVE, &map);
    warp_all(photo, tile, &map, pixels);
    for (int y = 0; y < tile->height; y++)
        for (int x = 0; x < tile->width; x++) {
            struct blend blend = mouth_blend(moment, (float)(tile->x + x), (float)(tile->y + y));
            uint8_t *out = &pixels->luma[y * TILE + x];
            *out = to_byte(blend_of(&blend, 0, *out, below.luma[y * TILE + x]));
        }
    for (int y = 0; y < tile->height / 2; y++)
        for (int x = 0; x < tile->width / 2; x++) {
            struct blend blend =
                mouth_blend(moment, (float)(tile->x + 2 * x), (float)(tile->y + 2 * y) + 0.5f);
            for (int i = 0; i < 2; i++) {
                uint8_t *out = &pixels->chroma[i][y * TILE + x];
                *out = to_byte(blend_of(&blend, 1 + i, *out, below.chroma[i][y * TILE + x]));
            }
        }
}

static float eye_pixel(const struct eye *eye, const struct eye_sample *sample,
                       const struct plane *plane, bool chroma)
{
    float x, y, ux, uy;
    axes_leave(&eye->axes, sample->x, sample->y, &x, &y);
    axes_leave(&eye->axes, sample->under_x, sample->under_y, &ux, &uy);
    if (chroma) {
        x /= 2;
        ux /= 2;
        y = (y - 0.5f) / 2;
        uy = (uy - 0.5f) / 2;
    }
    float skin = sample->cover > 0 ? plane_at(plane, x, y) : 0;
    float under = sample->cover < 1 ? plane_at(plane, ux, uy) : 0;
    return under + (skin - under) * sample->cover;
}

static void draw_eye(const struct moment *moment, int side, const struct tile *tile,
                     struct pixels *pixels)
{
    const struct eye_now *now = &moment->eyes[side];
    const struct eye *eye = now->eye;
    const struct source *photo = &moment->renderer->photo;
    struct eye_sample sample;
    for (int y = 0; y < tile->height; y++)
        for (int x = 0; x < tile->width; x++) {
            float ex, ey;
            axes_enter(&eye->axes, (float)(tile->x + x), (float)(tile->y + y), &ex, &ey);
            if (!eye_now_sample(now, ex, ey, &sample))
                continue;
            float luma = eye_pixel(eye, &sample, &photo->luma, false);
            pixels->luma[y * TILE + x] = to_byte(16 + (luma - 16) * sample.light);
        }
    for (int y = 0; y < tile->height / 2; y++)
        for (int x = 0; x < tile->width / 2; x++) {
            float ex, ey;
            axes_enter(&eye->axes, (float)(tile->x + 2 * x), (float)(tile->y + 2 * y) + 0.5f, &ex,
                       &ey);
            if (!eye_now_sample(now, ex, ey, &sample))
                continue;
            for (int i = 0; i < 2; i++)
                pixels->chroma[i][y * TILE + x] =
                    to_byte(eye_pixel(eye, &sample, &photo->chroma[i], true));
        }
}

static void put_plane(const uint8_t *from, uint8_t *to, int stride, int width, int height)
{
    for (int y = 0; y < height; y++)
        memcpy(to + (ptrdiff_t)y * stride, from + y * TILE, (size_t)width);
}

static void put(const struct tile *tile, const struct pixels *pixels, struct frame420 *out)
{
    put_plane(pixels->luma, out->planes[0] + (ptrdiff_t)tile->y * out->strides[0] + tile->x,
              out->strides[0], tile->width, tile->height);
    for (int i = 0; i < 2; i++)
        put_plane(pixels->chroma[i],
                  out->planes[1 + i] + (ptrdiff_t)tile->y / 2 * out->strides[1 + i] + tile->x / 2,
                  out->strides[1 + i], tile->width / 2, tile->height / 2);
}

static void draw_tile(const struct moment *moment, const struct tile *tile, struct frame420 *out)
{
    bool mouth = moment->face.moving && touches(&moment->mouth_box, tile);
    bool face = moment->face.moving && touches(&moment->face_box, tile);
    bool brows = moment->gesture.brows != 0 && touches(&moment->brow_box, tile);
    bool eyes[2];
    for (int i = 0; i < 2; i++)
        eyes[i] = (moment->eyes[i].blink > 0 || moment->eyes[i].gaze_x != 0 ||
                   moment->eyes[i].gaze_y != 0) &&
                  touches(&moment->eye_boxes[i], tile);
    if (!mouth && !face && !brows && !eyes[0] && !eyes[1])
        return;
    struct pixels pixels;
    if (mouth) {
        draw_mouth(moment, tile, &pixels);
    } else {
        struct tile_map map;
        if (!map_tile(moment, tile, 2, SHEET_NEAREST, &map) && !eyes[0] && !eyes[1])
            return;
        warp_all(&moment->renderer->photo, tile, &map, &pixels);
    }
    for (int i = 0; i < 2; i++)
        if (eyes[i])
            draw_eye(moment, i, tile, &pixels);
    put(tile, &pixels, out);
}

static void moment_init(struct moment *moment, const struct renderer *renderer, int index)
{
    /* A frame shows the middle of the time for which it is seen. */
    double time_s = (index + 0.5) / renderer->fps;
    struct mouth_pose pose = articulation_at(&renderer->track, time_s);
    const struct face_map *map = &renderer->face;
    float emphasis = clampf(pose.jaw / 9, 0, 1);
    moment->renderer = renderer;
    moment->gesture = gesture_at(&renderer->gestures, time_s, emphasis);
    face_now_init(&moment->face, map, &pose);
    mouth_now_init(&moment->mouth, &renderer->mouth, &moment->face, &renderer->photo);
    float mm = map->px_per_mm;
    moment->face_box =
        bounds_of(&map->axes, -map->half_width, map->top, map->half_width, map->bottom);
    float top = 0, bottom = 0;
    for (int i = 0; i <= FACE_COLUMNS; i++)
        if (fabsf(map->columns[i].inside) < 1.1f) {
            top = fminf(top, moment->face.columns[i].upper);
            bottom = fmaxf(bottom, moment->face.columns[i].lower);
        }
    moment->mouth_box =
        bounds_of(&map->axes, -map->inner_left - fmaxf(moment->face.wide, 0) - 2, top - 3 * mm,
                  map->inner_right + fmaxf(moment->face.wide, 0) + 2, bottom + 4 * mm);
    for (int i = 0; i < 2; i++) {
        const struct eye *eye = &renderer->eyes[i];
        moment->eyes[i] =
            (struct eye_now){eye, moment->gesture.blink, moment->gesture.gaze_x * eye->px_per_mm,
                             moment->gesture.gaze_y * eye->px_per_mm};
        moment->eye_boxes[i] = bounds_of(&eye->axes, eye->left, eye->top, eye->right, eye->bottom);
        float reach = eye->brow_reach * 1.6f;
        struct bounds brow =
            bounds_of(&eye->axes, -reach, eye->brow_y - 22 * eye->px_per_mm, reach, eye->top);
        struct bounds *all = &moment->brow_box;
        if (i == 0) {
            *all = brow;
        } else {
            all->left = brow.left < all->left ? brow.left : all->left;
            all->top = brow.top < all->top ? brow.top : all->top;
            all->right = brow.right > all->right ? brow.right : all->right;
            all->bottom = brow.bottom > all->bottom ? brow.bottom : all->bottom;
        }
    }
}

void renderer_frame(struct renderer *renderer, int index, struct frame420 *out)
{
    struct moment moment;
    moment_init(&moment, renderer, index);
    frame420_copy(&renderer->base, out);
    for (int y = 0; y < renderer->height; y += TILE)
        for (int x = 0; x < renderer->width; x += TILE) {
            struct tile tile = {x, y, TILE, TILE};
            if (tile.width > renderer->width - x)
                tile.width = renderer->width - x;
            if (tile.height > renderer->height - y)
                tile.height = renderer->height - y;
            draw_tile(&moment, &tile, out);
        }
}

void renderer_frame_rgb(struct renderer *renderer, int index, struct picture *out)
{
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(renderer->width, renderer->height);
    renderer_frame(renderer, index, &frame);
    frame420_to_picture(&frame, out);
}

/* --- the scene
 * ---------------------------------------------------------------------------------------- */

static bool check(const struct scene *scene, struct error *err)
{
    const struct picture *photo = scene->photo;
    if (photo->channels != PICTURE_RGB || photo->width < 2 * TILE || photo->height < 2 * TILE ||
        photo->width % 2 || photo->height % 2)
        return error_set(err, ERROR_INTERNAL, "%d × %d with %d channels cannot be animated",
                         photo->width, photo->height, photo->channels);
    if (scene->fps <= 0 || !(scene->duration_s > 0))
        return error_set(err, ERROR_INTERNAL, "%g s at %d frames a second cannot be animated",
                         scene->duration_s, scene->fps);
    return true;
}

static struct viseme_track track_copy(const struct viseme_track *track)
{
    struct viseme_track copy = {.count = track->count};
    copy.spans = xreallocarray(NULL, track->count + 1, sizeof *copy.spans);
    if (track->count > 0)
        memcpy(copy.spans, track->spans, track->count * sizeof *copy.spans);
    return copy;
}

struct renderer *renderer_new(const struct scene *scene, struct error *err)
{
    if (!check(scene, err))
        return NULL;
    struct renderer *renderer = xcalloc(1, sizeof *renderer);
    renderer->width = scene->photo->width;
    renderer->height = scene->photo->height;
    renderer->fps = scene->fps;
    renderer->frames = (int)ceil(scene->duration_s * scene->fps - 1e-6);
    renderer->sway = scene->sway;
    renderer->track = track_copy(scene->track);
    renderer->gestures = (struct gesture_source){scene->seed, scene->duration_s};
    renderer->base = frame420_new(renderer->width, renderer->height);
    renderer->still = scene->photo;
    frame420_from_picture(scene->photo, &renderer->base);
    source_init(&renderer->photo, &renderer->base, NULL);
    face_map_init(&renderer->face, scene->face, &renderer->base);
    mouth_init(&renderer->mouth, &renderer->face, scene->face, &renderer->base);
    for (int i = 0; i < 2; i++)
        eye_init(&renderer->eyes[i], scene->face, i, renderer->face.px_per_mm);
    return renderer;
}

void renderer_free(struct renderer *renderer)
{
    if (!renderer)
        return;
    source_dispose(&renderer->photo);
    mouth_dispose(&renderer->mouth);
    frame420_dispose(&renderer->base);
    viseme_track_dispose(&renderer->track);
    free(renderer);
}

int renderer_frames(const struct renderer *renderer)
{
    return renderer->frames;
}
