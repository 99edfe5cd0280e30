/* SPDX-License-Identifier: Apache-2.0 */
#include "video/renderer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "video/backdrop.h"
#include "video/draw.h"
#include "video/frame420.h"
#include "video/moment.h"

/* A frame begins as a copy of what never moves. Then every tile that head, mouth, eyes or brows
 * move is drawn over it. There are three kinds of scene:
 *
 *   photo alone           the base is the photo; what moves is drawn from the photo
 *   background chosen     the person is a layer with the matte as its cover; the base is the
 *                         finished still, or only the background when the head sways
 *   photo kept, cut out   only when the head sways: the layer is the person with a soft rim of
 *                         the photo around it, the backdrop is the photo with the person filled in
 */

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
    const struct picture *others[3] = {scene->matte, scene->foreground, scene->background};
    for (int i = 0; i < 3; i++)
        if (others[i] && (others[i]->width != photo->width || others[i]->height != photo->height))
            return error_set(err, ERROR_INTERNAL, "%d × %d does not fit a photo of %d × %d",
                             others[i]->width, others[i]->height, photo->width, photo->height);
    if (scene->background && !scene->matte)
        return error_set(err, ERROR_INTERNAL, "a background needs a person who is cut out");
    return true;
}

/* Landmarks of a face that could be in this picture: finite, not far outside, neither a speck nor
 * many times the frame. */
static bool check_face(const struct face *face, int width, int height, struct error *err)
{
    float size = (float)(width > height ? width : height);
    for (int i = 0; i < FACE_POINTS; i++) {
        const struct point3 *point = &face->points[i];
        if (!(fabsf(point->x) < 8 * size && fabsf(point->y) < 8 * size &&
              fabsf(point->z) < 8 * size))
            return error_set(err, ERROR_INVALID, "landmark %d lies outside the picture", i);
    }
    float mm = face_px_per_mm(face);
    if (!(mm > 0.1f && mm < size / 20))
        return error_set(err, ERROR_INVALID, "a face of %.2f pixels a millimetre is no face",
                         (double)mm);
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

/* --- layers
 * --------------------------------------------------------------------------------------------- */

/* What of the person may be seen in each tile, motion included. */
static void classify_tiles(struct renderer *renderer, const struct picture *cover)
{
    enum { MOTION = 16 };
    renderer->tile_columns = (renderer->width + TILE - 1) / TILE;
    renderer->tile_rows = (renderer->height + TILE - 1) / TILE;
    renderer->tile_cover = xmalloc((size_t)renderer->tile_columns * (size_t)renderer->tile_rows);
    for (int row = 0; row < renderer->tile_rows; row++)
        for (int column = 0; column < renderer->tile_columns; column++) {
            int left = column * TILE - MOTION, right = (column + 1) * TILE + MOTION;
            int top = row * TILE - MOTION, bottom = (row + 1) * TILE + MOTION;
            left = left < 0 ? 0 : left;
            top = top < 0 ? 0 : top;
            right = right > renderer->width ? renderer->width : right;
            bottom = bottom > renderer->height ? renderer->height : bottom;
            bool any = false, all = true;
            for (int y = top; y < bottom && (all || !any); y++) {
                const uint8_t *line = picture_row(cover, y);
                for (int x = left; x < right; x++) {
                    any |= line[x] != 0;
                    all &= line[x] == 255;
                }
            }
            renderer->tile_cover[row * renderer->tile_columns + column] =
                (uint8_t)(all   ? COVER_ALL
                          : any ? COVER_PART
                                : COVER_NONE);
        }
}

/* The tiles that lie side by side from `y` on. */
static void draw_band(const struct moment *moment, int y, struct frame420 *out)
{
    const struct renderer *renderer = moment->renderer;
    int height = renderer->height - y < TILE ? renderer->height - y : TILE;
    for (int x = 0; x < renderer->width; x += TILE) {
        struct tile tile = {x, y, TILE, height};
        if (tile.width > renderer->width - x)
            tile.width = renderer->width - x;
        draw_tile(moment, &tile, out);
    }
}

/* Which tiles of a band the head may move, in pixels. */
static struct bounds band_moved(const struct renderer *renderer, int y)
{
    struct bounds band = {0, y, renderer->width, y + TILE};
    if (!renderer->layered)
        return band;
    const uint8_t *cover = renderer->tile_cover + y / TILE * renderer->tile_columns;
    int first = 0, last = renderer->tile_columns;
    while (first < last && cover[first] == COVER_NONE)
        first++;
    while (last > first && cover[last - 1] == COVER_NONE)
        last--;
    band.left = first * TILE;
    band.right = last * TILE;
    return band;
}

static void fetch_backdrop(const struct frame420 *frame, const struct bounds *band)
{
    int bottom = band->bottom < frame->height ? band->bottom : frame->height;
    int right = band->right < frame->width ? band->right : frame->width;
    for (int i = 0; i < 3; i++) {
        int shift = i > 0;
        fetch_lines(frame->planes[i] + (ptrdiff_t)(band->top >> shift) * frame->strides[i] +
                        (band->left >> shift),
                    (right - band->left) >> shift, (bottom - band->top) >> shift,
                    frame->strides[i]);
    }
}

/* What the head moves into a band comes from about there. */
static void fetch_band(const struct renderer *renderer, int y)
{
    enum { REACH = 6 };
    const struct source *photo = &renderer->photo;
    struct bounds band = band_moved(renderer, y);
    if (band.left == band.right)
        return;
    if (renderer->layered)
        fetch_backdrop(&renderer->backdrop, &band);
    band.left -= REACH;
    band.right += REACH;
    band.top += y > 0 ? REACH : -REACH;
    band.bottom += REACH;
    plane_fetch(&photo->luma, band);
    if (renderer->layered)
        plane_fetch(&photo->alpha, band);
    band = (struct bounds){band.left / 2, band.top / 2, band.right / 2, band.bottom / 2};
    for (int i = 0; i < 2; i++)
        plane_fetch(&photo->chroma[i], band);
    if (renderer->layered)
        plane_fetch(&photo->chroma_alpha, band);
}

/* The base of a layered scene: the person, at rest, over the backdrop. */
static void draw_still(struct renderer *renderer)
{
    renderer->base = frame420_new(renderer->width, renderer->height);
    frame420_copy(&renderer->backdrop, &renderer->base);
    struct moment moment = {.renderer = renderer, .pass = PASS_STILL};
    for (int y = 0; y < renderer->height; y += TILE)
        draw_band(&moment, y, &renderer->base);
}

static void kept_background(struct renderer *renderer, const struct scene *scene,
                            struct frame420 *photo)
{
    renderer->layered = scene->sway && scene->matte;
    if (!renderer->layered) {
        renderer->base = *photo;
        *photo = (struct frame420){0};
        source_init(&renderer->photo, &renderer->base, NULL);
        renderer->still = scene->photo;
        return;
    }
    AUTO(picture_dispose) struct picture rim = backdrop_rim(scene->matte, renderer->face.px_per_mm);
    source_init(&renderer->photo, photo, &rim);
    classify_tiles(renderer, &rim);
    backdrop_fill(photo, &rim);
    renderer->backdrop = *photo;
    *photo = (struct frame420){0};
    draw_still(renderer);
}

static void chosen_background(struct renderer *renderer, const struct scene *scene)
{
    AUTO(frame420_dispose) struct frame420 person = frame420_new(renderer->width, renderer->height);
    frame420_from_picture(scene->foreground ? scene->foreground : scene->photo, &person);
    renderer->layered = true;
    source_init(&renderer->photo, &person, scene->matte);
    classify_tiles(renderer, scene->matte);
    renderer->backdrop = frame420_new(renderer->width, renderer->height);
    frame420_from_picture(scene->background, &renderer->backdrop);
    draw_still(renderer);
}

/* --- the renderer
 * ---------------------------------------------------------------------------------------- */

struct renderer *renderer_new(const struct scene *scene, struct error *err)
{
    if (!check(scene, err) ||
        !check_face(scene->face, scene->photo->width, scene->photo->height, err))
        return NULL;
    struct renderer *renderer = xcalloc(1, sizeof *renderer);
    renderer->width = scene->photo->width;
    renderer->height = scene->photo->height;
    renderer->fps = scene->fps;
    renderer->frames = (int)ceil(scene->duration_s * scene->fps - 1e-6);
    renderer->sway = scene->sway;
    renderer->track = track_copy(scene->track);
    renderer->gestures = (struct gesture_source){scene->seed, scene->duration_s};

    AUTO(frame420_dispose) struct frame420 photo = frame420_new(renderer->width, renderer->height);
    frame420_from_picture(scene->photo, &photo);
    face_map_init(&renderer->face, scene->face, &photo);
    mouth_init(&renderer->mouth, &renderer->face, scene->face, &photo);
    for (int i = 0; i < 2; i++)
        eye_init(&renderer->eyes[i], scene->face, i, &photo, renderer->face.px_per_mm);
    if (scene->sway)
        head_init(&renderer->head, renderer->width, renderer->height, scene->face, &renderer->face,
                  scene->matte != NULL);
    if (scene->background)
        chosen_background(renderer, scene);
    else
        kept_background(renderer, scene, &photo);
    return renderer;
}

void renderer_free(struct renderer *renderer)
{
    if (!renderer)
        return;
    source_dispose(&renderer->photo);
    mouth_dispose(&renderer->mouth);
    head_dispose(&renderer->head);
    frame420_dispose(&renderer->base);
    frame420_dispose(&renderer->backdrop);
    viseme_track_dispose(&renderer->track);
    free(renderer->tile_cover);
    free(renderer);
}

int renderer_frames(const struct renderer *renderer)
{
    return renderer->frames;
}

void renderer_frame(struct renderer *renderer, int index, struct frame420 *out)
{
    struct moment moment;
    moment_init(&moment, renderer, index);
    for (int y = 0; y < renderer->height; y += TILE) {
        int rows = renderer->height - y < TILE ? renderer->height - y : TILE;
        frame420_copy_rows(&renderer->base, y, rows, out);
        if (moment.head_moves)
            fetch_band(renderer, y);
        draw_band(&moment, y, out);
    }
    moment_dispose(&moment);
}

static bool chroma_differs(const struct frame420 *a, const struct frame420 *b, int x, int y)
{
    for (int i = 1; i < 3; i++)
        if (a->planes[i][y * a->strides[i] + x] != b->planes[i][y * b->strides[i] + x])
            return true;
    return false;
}

/* Where the frame is the base, the photo's own pixels: coding to YUV and back would change them. */
static void restore_still(const struct renderer *renderer, const struct frame420 *frame,
                          struct picture *out)
{
    const struct frame420 *base = &renderer->base;
    int last = renderer->width / 2 - 1;
    for (int y = 0; y < renderer->height; y++) {
        const uint8_t *rgb = picture_row(renderer->still, y);
        for (int x = 0; x < renderer->width; x++) {
            int here = x / 2, next = here + (x & 1 && here < last);
            if (frame->planes[0][y * frame->strides[0] + x] ==
                    base->planes[0][y * base->strides[0] + x] &&
                !chroma_differs(frame, base, here, y / 2) &&
                !chroma_differs(frame, base, next, y / 2))
                memcpy(picture_row(out, y) + 3 * x, rgb + 3 * x, 3);
        }
    }
}

void renderer_frame_rgb(struct renderer *renderer, int index, struct picture *out)
{
    AUTO(frame420_dispose) struct frame420 frame = frame420_new(renderer->width, renderer->height);
    renderer_frame(renderer, index, &frame);
    frame420_to_picture(&frame, out);
    if (renderer->still)
        restore_still(renderer, &frame, out);
}
