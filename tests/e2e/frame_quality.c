/* SPDX-License-Identifier: Apache-2.0 */
/* Is every frame whole? Renders a track over real portraits in every format and looks at all
 * frames: no tear, no black or white spot, no flicker; and with the head still nothing changes away
 * from the face. Prints one line a portrait and format; what is wrong is named, and the exit status
 * is 1.
 *
 *     frame_quality MODELS PHOTO… */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/photo.h"
#include "image/portrait.h"
#include "video/frame420.h"
#include "video/renderer.h"

enum { FPS = 25, REACH = 12, TEAR = 60, BLACK = 15, WHITE = 237, FAR = 40, FLICKER = 14, CELL = 8 };

static const int formats[][2] = {{512, 512}, {720, 1280}, {1280, 720}};

/* Every kind of motion of the mouth, then a blink. */
static const struct viseme_span spans[] = {
    {0.0f, 0.2f, VISEME_SILENCE, 1}, {0.2f, 0.4f, VISEME_A, 1},       {0.4f, 0.5f, VISEME_MBP, 1},
    {0.5f, 0.6f, VISEME_I, 1},       {0.6f, 0.7f, VISEME_SH, 1},      {0.7f, 0.9f, VISEME_O, 1},
    {0.9f, 1.0f, VISEME_FV, 1},      {1.0f, 1.1f, VISEME_TH, 1},      {1.1f, 1.2f, VISEME_U, 1},
    {1.2f, 1.4f, VISEME_E, 1},       {1.4f, 2.8f, VISEME_SILENCE, 1},
};
static const float length_s = 2.8f;

struct place {
    int left, top, right, bottom;
};

static struct place place_of(const struct face *face, const int *points, int count, float grow)
{
    struct place place = {1 << 20, 1 << 20, -(1 << 20), -(1 << 20)};
    float by = grow * hypotf(face->points[10].x - face->points[152].x,
                             face->points[10].y - face->points[152].y);
    for (int i = 0; i < count; i++) {
        struct point3 point = face->points[points ? points[i] : i];
        place.left = (int)fminf((float)place.left, point.x - by);
        place.top = (int)fminf((float)place.top, point.y - by);
        place.right = (int)fmaxf((float)place.right, point.x + by);
        place.bottom = (int)fmaxf((float)place.bottom, point.y + by);
    }
    return place;
}

static bool lies_in(const struct place *place, int x, int y)
{
    return x >= place->left && x < place->right && y >= place->top && y < place->bottom;
}

struct look {
    struct frame420 rest, frame;
    uint8_t *steepest, *lightest, *darkest; /* near each pixel of the frame at rest; 255 - it */
    struct place busy[3];                   /* mouth and eyes, where edges come and go */
    struct place face;                      /* outside nothing moves while the head is still */
    float *cells[3];         /* means of the last frames, to see what comes and goes */
    int tears, spots, moved; /* pixels */
    float flicker;           /* levels */
};

static int step_at(const struct frame420 *frame, int x, int y)
{
    const uint8_t *at = frame->planes[0] + y * frame->strides[0] + x;
    int right = abs(at[0] - at[1]), below = abs(at[0] - at[frame->strides[0]]);
    return right > below ? right : below;
}

static void widen(uint8_t *line, int count, int step)
{
    uint8_t before[2048];
    for (int i = 0; i < count; i++)
        before[i] = line[i * step];
    for (int i = 0; i < count; i++)
        for (int k = i - REACH < 0 ? 0 : i - REACH; k <= i + REACH && k < count; k++)
            if (before[k] > line[i * step])
                line[i * step] = before[k];
}

static void look_begin(struct look *look, struct renderer *renderer, const struct face *face,
                       int width, int height)
{
    static const int mouth[] = {61, 291, 0, 17, 164, 200}, right[] = {33, 133, 70, 107, 145},
                     left[] = {263, 362, 300, 336, 374};
    *look = (struct look){.rest = frame420_new(width, height),
                          .frame = frame420_new(width, height),
                          .steepest = xcalloc((size_t)width * (size_t)height, 1),
                          .lightest = xcalloc((size_t)width * (size_t)height, 1),
                          .darkest = xcalloc((size_t)width * (size_t)height, 1)};
    look->busy[0] = place_of(face, mouth, 6, 0.10f);
    look->busy[1] = place_of(face, right, 5, 0.06f);
    look->busy[2] = place_of(face, left, 5, 0.06f);
    look->face = place_of(face, NULL, 468, 0.35f);
    for (int i = 0; i < 3; i++)
        look->cells[i] = xcalloc((size_t)(width / CELL) * (size_t)(height / CELL), sizeof(float));
    renderer_frame(renderer, 0, &look->rest);
    for (int y = 0; y < height - 1; y++)
        for (int x = 0; x < width - 1; x++) {
            uint8_t luma = look->rest.planes[0][y * look->rest.strides[0] + x];
            look->steepest[y * width + x] = (uint8_t)step_at(&look->rest, x, y);
            look->lightest[y * width + x] = luma;
            look->darkest[y * width + x] = (uint8_t)(255 - luma);
        }
    uint8_t *maps[] = {look->steepest, look->lightest, look->darkest};
    for (int i = 0; i < 3; i++) {
        for (int y = 0; y < height; y++)
            widen(maps[i] + y * width, width, 1);
        for (int x = 0; x < width; x++)
            widen(maps[i] + x, height, width);
    }
}

static void look_end(struct look *look)
{
    frame420_dispose(&look->rest);
    frame420_dispose(&look->frame);
    free(look->steepest);
    free(look->lightest);
    free(look->darkest);
    for (int i = 0; i < 3; i++)
        free(look->cells[i]);
}

static void look_at_pixels(struct look *look, bool still)
{
    const struct frame420 *frame = &look->frame, *rest = &look->rest;
    for (int y = 1; y < frame->height - 1; y++)
        for (int x = 1; x < frame->width - 1; x++) {
            int now = frame->planes[0][y * frame->strides[0] + x];
            int was = rest->planes[0][y * rest->strides[0] + x];
            int at = y * frame->width + x;
            bool busy = lies_in(&look->busy[0], x, y) || lies_in(&look->busy[1], x, y) ||
                        lies_in(&look->busy[2], x, y);
            look->moved += still && now != was && !lies_in(&look->face, x, y);
            if (busy)
                continue;
            look->tears += step_at(frame, x, y) > look->steepest[at] + TEAR;
            look->spots += (now < BLACK && now + FAR < 255 - look->darkest[at]) ||
                           (now > WHITE && now > look->lightest[at] + FAR);
        }
}

/* What a mean of 64 pixels does from frame to frame and back, away from the face. */
static void look_at_cells(struct look *look, int index)
{
    int columns = look->frame.width / CELL, rows = look->frame.height / CELL;
    float *now = look->cells[index % 3];
    const float *before = look->cells[(index + 2) % 3], *first = look->cells[(index + 1) % 3];
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            int cell = row * columns + column, sum = 0;
            for (int y = 0; y < CELL; y++)
                for (int x = 0; x < CELL; x++)
                    sum += look->frame.planes[0][(row * CELL + y) * look->frame.strides[0] +
                                                 column * CELL + x];
            now[cell] = (float)sum / (CELL * CELL);
            if (index >= 2 && !lies_in(&look->face, column * CELL, row * CELL))
                look->flicker =
                    fmaxf(look->flicker, fabsf(now[cell] - 2 * before[cell] + first[cell]));
        }
}

static bool check(const struct portrait *portrait, const char *name, bool sway, struct error *err)
{
    const struct viseme_track track = {sizeof spans / sizeof *spans, (struct viseme_span *)spans};
    int width = portrait->photo.width, height = portrait->photo.height;
    struct scene scene = {.photo = &portrait->photo,
                          .matte = &portrait->matte,
                          .foreground = &portrait->foreground,
                          .face = &portrait->face,
                          .track = &track,
                          .duration_s = length_s,
                          .fps = FPS,
                          .sway = sway,
                          .seed = 11};
    AUTO(renderer_free) struct renderer *renderer = renderer_new(&scene, err);
    if (!renderer)
        return false;
    struct look look;
    look_begin(&look, renderer, &portrait->face, width, height);
    for (int i = 0; i < renderer_frames(renderer); i++) {
        renderer_frame(renderer, i, &look.frame);
        look_at_pixels(&look, !sway);
        look_at_cells(&look, i);
    }
    look_end(&look);
    printf("%-14s %4d x %-4d %-7s %d torn, %d spots, %d moved, flicker %.1f levels\n", name, width,
           height, sway ? "swaying" : "still", look.tears, look.spots, look.moved,
           (double)look.flicker);
    if (look.tears == 0 && look.spots == 0 && look.moved == 0 && look.flicker <= FLICKER)
        return true;
    return error_set(err, ERROR_INVALID, "%s: a frame is not whole", name);
}

static bool try_photo(struct vision *vision, struct photos *photos, const char *path,
                      struct error *err)
{
    AUTO(picture_dispose) struct picture photo = {0};
    struct face faces[MAX_FACES];
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    int count = 0;
    if (!photos_decode(photos, path, 2048, &photo, err) ||
        !vision_faces(vision, &photo, faces, &count, err))
        return false;
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no face in %s", name);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct portrait_wish wish = {.faces = faces,
                                     .face_count = count,
                                     .width = formats[i][0],
                                     .height = formats[i][1],
                                     .cut_out = true};
        AUTO(portrait_dispose) struct portrait portrait = {0};
        if (!portrait_make(vision, &photo, &wish, &portrait, err) ||
            !check(&portrait, name, false, err) || !check(&portrait, name, true, err))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error err = {.text = "give the models and photos"};
    log_set(LOG_WARN, LOG_TERMINAL, 2);
    struct photos *photos = photos_open(NULL, &err);
    struct vision *vision = photos && argc > 2 ? vision_open(argv[1], &err) : NULL;
    int failed = !vision;
    if (!vision)
        fprintf(stderr, "%s\n", err.text);
    for (int i = 2; vision && i < argc; i++)
        if (!try_photo(vision, photos, argv[i], &err)) {
            fprintf(stderr, "%s\n", err.text);
            failed = 1;
        }
    vision_close(vision);
    photos_close(photos);
    return failed;
}
