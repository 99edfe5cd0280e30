/* SPDX-License-Identifier: Apache-2.0 */
#include "video/draw.h"

#include <math.h>
#include <string.h>

#include "media/hot.h"
#include "video/curve.h"
#include "video/moment.h"

/* Where skin moves smoothly a tile is drawn through a coarse map. Where lips part it is drawn
 * twice, as the sheet above and the sheet below, and each pixel is mixed from both and the mouth's
 * inside; lids are drawn pixel by pixel over the tile that is there. */

struct pixels {
    uint8_t luma[TILE * TILE], chroma[2][TILE * TILE];
};

/* A tile and what is known of it while it is drawn. */
struct job {
    const struct moment *moment;
    struct tile tile;
    struct tile_head head;
};

static void warp_all(const struct source *from, const struct tile *tile, const struct tile_map *map,
                     struct pixels *out)
{
    uint8_t *const chroma[2] = {out->chroma[0], out->chroma[1]};
    warp_tile(&from->luma, PLANE_LUMA, tile, map, out->luma, TILE);
    warp_colour(from->chroma, tile, map, chroma, TILE);
}

static inline uint8_t to_byte(float value)
{
    return (uint8_t)clampf(value + 0.5f, 0, 255);
}

struct spot {
    float x, y;
};

/* A pixel of the tile, or the place of a sample of chroma, as the still head has it, in `axes`. */
static inline struct spot enter(const struct job *job, const struct axes *axes, int x, int y,
                                bool chroma)
{
    struct spot spot;
    float px = (float)(job->tile.x + (chroma ? 2 * x : x));
    float py = chroma ? (float)(job->tile.y + 2 * y) + 0.5f : (float)(job->tile.y + y);
    if (job->moment->head_moves)
        tile_head_undo(&job->head, &job->tile, &px, &py);
    axes_enter(axes, px, py, &spot.x, &spot.y);
    return spot;
}

/* --- the mouth
 * --------------------------------------------------------------------------------------- */

/* What share of a pixel each sheet covers, and what is seen between them. */
struct blend {
    float above, below, light;
    float inside[3];
};

static void mouth_blend(const struct moment *moment, float x, float y, struct blend *out)
{
    struct opening opening = face_now_opening(&moment->face, x, y);
    out->light = 1;
    out->above = clampf((opening.upper - y) / opening.upper_steep + 0.5f, 0, 1);
    out->below = clampf((y - opening.lower) / opening.lower_steep + 0.5f, 0, 1);
    float sum = out->above + out->below;
    if (sum > 1) {
        out->above /= sum;
        out->below /= sum;
    }
    if (sum < 1)
        mouth_colour(&moment->mouth, &opening, x, y, out->inside);
    else
        out->inside[0] = out->inside[1] = out->inside[2] = 0;
    if (fabsf(opening.inside) < 1)
        out->light = mouth_lip_light(&moment->mouth, &opening, y);
}

static float blend_of(const struct blend *blend, int plane, uint8_t above, uint8_t below)
{
    float skin = (float)above * blend->above + (float)below * blend->below;
    float covered = blend->above + blend->below;
    if (plane == 0)
        skin = 16 * covered + (skin - 16 * covered) * blend->light;
    return skin + blend->inside[plane] * (1 - covered);
}

/* What each pixel of a tile shows, and which sheets are seen at all. */
struct parts {
    uint8_t luma[TILE * TILE], chroma[TILE * TILE / 4];
    bool seen[MOUTH_MIXED + 1];
};

static void find_parts(const struct job *job, struct parts *out)
{
    const struct axes *axes = &job->moment->renderer->face.axes;
    for (int chroma = 0; chroma < 2; chroma++) {
        uint8_t *part = chroma ? out->chroma : out->luma;
        for (int y = 0; y < job->tile.height >> chroma; y++)
            for (int x = 0; x < job->tile.width >> chroma; x++) {
                struct spot spot = enter(job, axes, x, y, chroma);
                enum mouth_part here = mouth_part_at(&job->moment->mouth, spot.x, spot.y);
                out->seen[here] = true;
                *part++ = (uint8_t)here;
            }
    }
}

static void draw_sheet(const struct job *job, enum face_sheet sheet, struct pixels *out)
{
    struct tile_map map;
    moment_map(job->moment, &job->tile, &job->head, TILE_CELLS, sheet, &map);
    warp_all(&job->moment->renderer->photo, &job->tile, &map, out);
}

/* `out` is the sheet above. */
static void blend_luma(const struct job *job, const uint8_t *part, const struct pixels *below,
                       struct pixels *out)
{
    struct blend blend;
    for (int y = 0; y < job->tile.height; y++)
        for (int x = 0; x < job->tile.width; x++, part++) {
            int at = y * TILE + x;
            if (*part == MOUTH_BELOW)
                out->luma[at] = below->luma[at];
            if (*part != MOUTH_MIXED)
                continue;
            struct spot spot = enter(job, &job->moment->renderer->face.axes, x, y, false);
            mouth_blend(job->moment, spot.x, spot.y, &blend);
            out->luma[at] = to_byte(blend_of(&blend, 0, out->luma[at], below->luma[at]));
        }
}

static void blend_chroma(const struct job *job, const uint8_t *part, const struct pixels *below,
                         struct pixels *out)
{
    struct blend blend = {0};
    for (int y = 0; y < job->tile.height / 2; y++)
        for (int x = 0; x < job->tile.width / 2; x++, part++) {
            int at = y * TILE + x;
            if (*part == MOUTH_MIXED) {
                struct spot spot = enter(job, &job->moment->renderer->face.axes, x, y, true);
                mouth_blend(job->moment, spot.x, spot.y, &blend);
            }
            for (int i = 0; i < 2; i++) {
                uint8_t *colour = &out->chroma[i][at];
                if (*part == MOUTH_BELOW)
                    *colour = below->chroma[i][at];
                else if (*part == MOUTH_MIXED)
                    *colour = to_byte(blend_of(&blend, 1 + i, *colour, below->chroma[i][at]));
            }
        }
}

static void draw_mouth(const struct job *job, struct pixels *pixels)
{
    struct parts parts = {0};
    struct pixels below;
    find_parts(job, &parts);
    if (!parts.seen[MOUTH_MIXED] && !parts.seen[MOUTH_BELOW]) {
        draw_sheet(job, SHEET_ABOVE, pixels);
    } else if (!parts.seen[MOUTH_MIXED] && !parts.seen[MOUTH_ABOVE]) {
        draw_sheet(job, SHEET_BELOW, pixels);
    } else {
        draw_sheet(job, SHEET_ABOVE, pixels);
        draw_sheet(job, SHEET_BELOW, &below);
        blend_luma(job, parts.luma, &below, pixels);
        blend_chroma(job, parts.chroma, &below, pixels);
    }
}

/* --- the eyes
 * ---------------------------------------------------------------------------------------- */

static float photo_at(const struct eye *eye, const struct plane *plane, bool chroma, float ex,
                      float ey)
{
    float x, y;
    axes_leave(&eye->axes, ex, ey, &x, &y);
    return chroma ? plane_at(plane, x / 2, (y - 0.5f) / 2) : plane_at(plane, x, y);
}

static float eye_pixel(const struct eye *eye, const struct eye_sample *sample,
                       const struct source *photo, int channel)
{
    const struct plane *plane = channel ? &photo->chroma[channel - 1] : &photo->luma;
    bool chroma = channel > 0;
    if (sample->lid_share >= 1)
        return sample->lid[channel];
    float value = 0, under = 1 - sample->upper_cover - sample->lower_cover;
    if (sample->upper_cover > 0)
        value += sample->upper_cover * photo_at(eye, plane, chroma, sample->x, sample->upper_y);
    if (sample->lower_cover > 0)
        value += sample->lower_cover * photo_at(eye, plane, chroma, sample->x, sample->lower_y);
    if (under > 0)
        value += under * photo_at(eye, plane, chroma, sample->under_x, sample->under_y);
    return value + (sample->lid[channel] - value) * sample->lid_share;
}

static void draw_eye(const struct job *job, const struct eye_now *now, struct pixels *pixels)
{
    const struct eye *eye = now->eye;
    const struct source *photo = &job->moment->renderer->photo;
    struct eye_sample sample;
    for (int y = 0; y < job->tile.height; y++)
        for (int x = 0; x < job->tile.width; x++) {
            struct spot spot = enter(job, &eye->axes, x, y, false);
            if (!eye_now_sample(now, spot.x, spot.y, &sample))
                continue;
            float luma = eye_pixel(eye, &sample, photo, 0);
            pixels->luma[y * TILE + x] = to_byte(16 + (luma - 16) * sample.light);
        }
    for (int y = 0; y < job->tile.height / 2; y++)
        for (int x = 0; x < job->tile.width / 2; x++) {
            struct spot spot = enter(job, &eye->axes, x, y, true);
            if (!eye_now_sample(now, spot.x, spot.y, &sample))
                continue;
            for (int i = 0; i < 2; i++)
                pixels->chroma[i][y * TILE + x] = to_byte(eye_pixel(eye, &sample, photo, 1 + i));
        }
}

/* --- the tile
 * ---------------------------------------------------------------------------------------- */

static void put_plane(const uint8_t *from, uint8_t *to, int stride, int width, int height)
{
    for (int y = 0; y < height; y++)
        memcpy(to + (ptrdiff_t)y * stride, from + y * TILE, (size_t)width);
}

static uint8_t *place(const struct frame420 *frame, int plane, const struct tile *tile)
{
    int shift = plane > 0;
    return frame->planes[plane] + (ptrdiff_t)(tile->y >> shift) * frame->strides[plane] +
           (tile->x >> shift);
}

static void put(const struct tile *tile, const struct pixels *pixels, struct frame420 *out)
{
    put_plane(pixels->luma, place(out, 0, tile), out->strides[0], tile->width, tile->height);
    for (int i = 0; i < 2; i++)
        put_plane(pixels->chroma[i], place(out, 1 + i, tile), out->strides[1 + i], tile->width / 2,
                  tile->height / 2);
}

/* What a plane of the tile is laid over, and with how much cover. */
struct layers {
    const uint8_t *from, *alpha, *behind;
    uint8_t *to;
    ptrdiff_t behind_stride, to_stride;
    int width, height;
};

static inline uint8_t mixed(uint8_t behind, uint8_t from, uint8_t alpha)
{
    unsigned share = (unsigned)alpha + (alpha >> 7); /* 0..256 */
    return (uint8_t)((uint16_t)(behind * (256 - share) + from * share + 128) >> 8);
}

/* A width that the compiler knows it needs no loop for. */
static inline void mix_row(const struct layers *layers, int y, int width)
{
    const uint8_t *restrict from = layers->from + y * TILE, *restrict alpha =
                                                                layers->alpha + y * TILE;
    const uint8_t *restrict behind = layers->behind + y * layers->behind_stride;
    uint8_t *restrict to = layers->to + y * layers->to_stride;
    for (int x = 0; x < width; x++)
        to[x] = mixed(behind[x], from[x], alpha[x]);
}

HOT static void mix(const struct layers *layers)
{
    for (int y = 0; y < layers->height; y++)
        if (layers->width == TILE)
            mix_row(layers, y, TILE);
        else if (layers->width == TILE / 2)
            mix_row(layers, y, TILE / 2);
        else
            mix_row(layers, y, layers->width);
}

/* One plane of the tile, as far as `alpha` goes, over the backdrop. */
static void put_plane_over(const struct job *job, int plane, const uint8_t *from,
                           const uint8_t *alpha, struct frame420 *out)
{
    const struct frame420 *backdrop = &job->moment->renderer->backdrop;
    const struct tile *tile = &job->tile;
    int shift = plane > 0;
    mix(&(struct layers){from, alpha, place(backdrop, plane, tile), place(out, plane, tile),
                         backdrop->strides[plane], out->strides[plane], tile->width >> shift,
                         tile->height >> shift});
}

static void put_over(const struct job *job, const struct tile_map *map, const struct pixels *pixels,
                     struct frame420 *out)
{
    const struct source *photo = &job->moment->renderer->photo;
    uint8_t alpha[TILE * TILE];
    warp_tile(&photo->alpha, PLANE_LUMA, &job->tile, map, alpha, TILE);
    put_plane_over(job, 0, pixels->luma, alpha, out);
    warp_tile(&photo->chroma_alpha, PLANE_CHROMA, &job->tile, map, alpha, TILE);
    for (int i = 1; i < 3; i++)
        put_plane_over(job, i, pixels->chroma[i - 1], alpha, out);
}

void draw_tile(const struct moment *moment, const struct tile *tile, struct frame420 *out)
{
    const struct renderer *renderer = moment->renderer;
    enum tile_cover cover = COVER_ALL;
    if (renderer->layered)
        cover = renderer->tile_cover[tile->y / TILE * renderer->tile_columns + tile->x / TILE];
    if (cover == COVER_NONE)
        return;
    bool mouth = moment->face.moving && bounds_touch(&moment->mouth_box, tile);
    bool face = moment->face.moving && bounds_touch(&moment->face_box, tile);
    bool brows = moment->brows_move && (bounds_touch(&moment->brow_boxes[0], tile) ||
                                        bounds_touch(&moment->brow_boxes[1], tile));
    bool eyes[2], eye = false;
    for (int i = 0; i < 2; i++)
        eye |= eyes[i] = moment->eyes_move && bounds_touch(&moment->eye_boxes[i], tile);
    bool head = moment->head_moves;
    bool still = moment->pass == PASS_STILL;
    if (!mouth && !face && !brows && !eye && !head && !still)
        return;

    struct job job = {moment, *tile, moment_tile_head(moment, tile)};
    struct pixels pixels;
    struct tile_map map;
    bool moves = moment_map(moment, tile, &job.head, face || brows ? 2 : 1, SHEET_NEAREST, &map);
    if (!moves && !mouth && !eye && !still)
        return;
    if (mouth)
        draw_mouth(&job, &pixels);
    else
        warp_all(&renderer->photo, tile, &map, &pixels);
    for (int i = 0; i < 2; i++)
        if (eyes[i])
            draw_eye(&job, &moment->eyes[i], &pixels);
    if (cover == COVER_ALL)
        put(tile, &pixels, out);
    else
        put_over(&job, &map, &pixels, out);
}
