/* SPDX-License-Identifier: Apache-2.0 */
/* Does the mouth say what is spoken? Renders a track over real portraits, finds the landmarks again
 * on the frames, and compares how far the lips stand apart with the phonemes. Prints one line a
 * portrait; a measure that is missed is named, and the exit status is 1. Sounds that a viewer tells
 * apart must not look the same, and no vowel opens the mouth beyond what a face can.
 *
 *     mouth_quality MODELS PHOTO… */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/photo.h"
#include "image/portrait.h"
#include "video/renderer.h"

enum { SIDE = 512, FPS = 25, MAX_FRAMES = 400, MAX_SPANS = 128, LAGS = 4 };

/* "Konnichiwa. Happy birthday! Five robots." with its pauses. */
static const struct {
    enum viseme viseme;
    float length_s;
} speech[] = {
    {VISEME_SILENCE, 0.50f}, {VISEME_K, 0.07f},       {VISEME_O, 0.11f},
    {VISEME_K, 0.08f},       {VISEME_T, 0.06f},       {VISEME_I, 0.10f},
    {VISEME_SH, 0.08f},      {VISEME_I, 0.08f},       {VISEME_W, 0.07f},
    {VISEME_A, 0.16f},       {VISEME_SILENCE, 0.40f}, {VISEME_H, 0.06f},
    {VISEME_A, 0.14f},       {VISEME_MBP, 0.09f},     {VISEME_I, 0.12f},
    {VISEME_MBP, 0.08f},     {VISEME_A, 0.10f},       {VISEME_TH, 0.08f},
    {VISEME_T, 0.05f},       {VISEME_E, 0.14f},       {VISEME_I, 0.08f},
    {VISEME_SILENCE, 0.45f}, {VISEME_FV, 0.09f},      {VISEME_A, 0.12f},
    {VISEME_FV, 0.08f},      {VISEME_R, 0.07f},       {VISEME_O, 0.14f},
    {VISEME_MBP, 0.09f},     {VISEME_O, 0.12f},       {VISEME_T, 0.06f},
    {VISEME_S, 0.12f},       {VISEME_SILENCE, 0.50f},
};

/* How far a speaker's lips stand apart for it, as phoneticians order them: not what we render.
 * Silence is asked for twice: as closed, and, since a smile is to stay one, as the photo shows it.
 */
static const float openness[VISEME_COUNT] = {
    [VISEME_A] = 1.00f, [VISEME_E] = 0.65f,  [VISEME_O] = 0.65f, [VISEME_I] = 0.45f,
    [VISEME_U] = 0.30f, [VISEME_W] = 0.20f,  [VISEME_L] = 0.40f, [VISEME_TH] = 0.35f,
    [VISEME_S] = 0.35f, [VISEME_SH] = 0.35f, [VISEME_R] = 0.30f, [VISEME_T] = 0.30f,
    [VISEME_K] = 0.35f, [VISEME_Y] = 0.35f,  [VISEME_H] = 0.40f, [VISEME_FV] = 0.15f,
};

static const double min_difference = 1.8; /* levels, of the whole mouth and its surroundings */

struct measure {
    struct vision *vision;
    struct viseme_track track;
    struct viseme_span spans[MAX_SPANS];
    double duration_s;
    float rest;                 /* of the photo itself */
    float opening[MAX_FRAMES];  /* of each frame, against the eyes' distance */
    float expected[MAX_FRAMES]; /* silence counts as closed */
    float smiling[MAX_FRAMES];  /* silence counts as the photo does, against the widest frame */
    int frames;
};

static void speak(struct measure *measure)
{
    float at = 0;
    size_t count = 0;
    for (int round = 0; round < 1; round++)
        for (size_t i = 0; i < sizeof speech / sizeof *speech; i++) {
            measure->spans[count++] =
                (struct viseme_span){at, at + speech[i].length_s, speech[i].viseme, 1};
            at += speech[i].length_s;
        }
    measure->track = (struct viseme_track){count, measure->spans};
    measure->duration_s = at;
}

static const struct viseme_span *span_at(const struct measure *measure, double time_s)
{
    size_t i = 0;
    while (i + 1 < measure->track.count && measure->spans[i].end_s <= time_s)
        i++;
    return &measure->spans[i];
}

/* What of a frame's time each span takes. */
static float expected_at(const struct measure *measure, int frame, float silence)
{
    float sum = 0;
    for (int i = 0; i < 8; i++) {
        enum viseme viseme = span_at(measure, (frame + (i + 0.5) / 8) / FPS)->viseme;
        sum += (viseme == VISEME_SILENCE ? silence : openness[viseme]) / 8;
    }
    return sum;
}

static float widest_of(const struct measure *measure)
{
    float widest = 1e-6f;
    for (int i = 0; i < measure->frames; i++)
        widest = fmaxf(widest, measure->opening[i]);
    return widest;
}

static float distance(struct point3 a, struct point3 b)
{
    return hypotf(a.x - b.x, a.y - b.y);
}

static float opening_of(const struct face *face)
{
    const struct point3 *points = face->points;
    float gap = distance(points[13], points[14]) + distance(points[81], points[178]) +
                distance(points[311], points[402]);
    return gap / 3 / distance(points[468], points[473]);
}

/* A face that fills the frame is none to the detector, which wants to see a head: on a grey margin
 * it is found. */
static bool find_with_margin(struct vision *vision, const struct picture *picture,
                             struct face faces[MAX_FACES], int *out_count, struct error *err)
{
    int margin = picture->width * 3 / 10, side = picture->width + 2 * margin;
    AUTO(picture_dispose)
    struct picture large = picture_new(side, picture->height + 2 * margin, PICTURE_RGB);
    for (int y = 0; y < large.height; y++) {
        memset(picture_row(&large, y), 128, 3 * (size_t)side);
        if (y >= margin && y < margin + picture->height)
            memcpy(picture_row(&large, y) + 3 * (size_t)margin, picture_row(picture, y - margin),
                   3 * (size_t)picture->width);
    }
    return vision_faces(vision, &large, faces, out_count, err);
}

static bool find_opening(struct measure *measure, const struct picture *picture, float *out,
                         struct error *err)
{
    struct face faces[MAX_FACES];
    int count = 0;
    if (!vision_faces(measure->vision, picture, faces, &count, err) ||
        (count == 0 && !find_with_margin(measure->vision, picture, faces, &count, err)))
        return false;
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "no face in a frame");
    *out = opening_of(&faces[0]);
    return true;
}

static bool measure_frames(struct measure *measure, const struct portrait *portrait, bool sway,
                           struct error *err)
{
    struct scene scene = {.photo = &portrait->photo,
                          .face = &portrait->face,
                          .track = &measure->track,
                          .duration_s = measure->duration_s,
                          .fps = FPS,
                          .sway = sway,
                          .seed = 11};
    AUTO(renderer_free) struct renderer *renderer = renderer_new(&scene, err);
    if (!renderer || !find_opening(measure, &portrait->photo, &measure->rest, err))
        return false;
    AUTO(picture_dispose) struct picture frame = picture_new(SIDE, SIDE, PICTURE_RGB);
    measure->frames = renderer_frames(renderer);
    for (int i = 0; i < measure->frames; i++) {
        renderer_frame_rgb(renderer, i, &frame);
        if (!find_opening(measure, &frame, &measure->opening[i], err))
            return false;
        measure->expected[i] = expected_at(measure, i, 0);
    }
    for (int i = 0; i < measure->frames; i++)
        measure->smiling[i] = expected_at(measure, i, measure->rest / widest_of(measure));
    return true;
}

/* How well the opening, `lag` frames later, follows the phonemes. */
static double correlation(const struct measure *measure, const float *expected, int lag)
{
    double n = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
    for (int i = LAGS; i < measure->frames - LAGS; i++) {
        double x = expected[i], y = measure->opening[i + lag];
        n++;
        sx += x;
        sy += y;
        sxx += x * x;
        syy += y * y;
        sxy += x * y;
    }
    double across = sqrt((n * sxx - sx * sx) * (n * syy - sy * sy));
    return across > 0 ? (n * sxy - sx * sy) / across : 0;
}

struct result {
    double now, best; /* silence counting as closed */
    int best_lag;
    double smiling; /* silence counting as the photo */
    double silence; /* furthest from the photo's own, as a share of the mouth's range */
    double closed;  /* widest M B P at its narrowest frame, as a share of the range */
    double range;   /* widest opening beyond the photo's own, in eyes' distances */
};

static struct result judge(const struct measure *measure)
{
    struct result result = {.best = -1};
    for (int lag = -LAGS; lag <= LAGS; lag++) {
        double value = correlation(measure, measure->expected, lag);
        if (lag == 0)
            result.now = value;
        if (value > result.best) {
            result.best = value;
            result.best_lag = lag;
        }
    }
    result.smiling = correlation(measure, measure->smiling, 0);
    double widest = widest_of(measure);
    result.range = widest - measure->rest;
    for (size_t k = 0; k < measure->track.count; k++) {
        const struct viseme_span *span = &measure->spans[k];
        double narrowest = 1;
        for (int i = 0; i < measure->frames; i++) {
            double time_s = (i + 0.5) / FPS, gap = measure->opening[i];
            if (span->viseme == VISEME_MBP && time_s > span->start_s - 0.5 / FPS &&
                time_s < span->end_s + 0.5 / FPS)
                narrowest = fmin(narrowest, gap);
            if (span->viseme == VISEME_SILENCE && time_s > span->start_s + 0.08 &&
                time_s < span->end_s - 0.08)
                result.silence = fmax(result.silence, fabs(gap - measure->rest) / widest);
        }
        if (span->viseme == VISEME_MBP)
            result.closed = fmax(result.closed, (narrowest - fmin(measure->rest, 0.02)) / widest);
    }
    return result;
}

static bool check(const char *name, const char *how, const struct result *result)
{
    printf("%-14s %-8s correlation %.3f and %.3f, best %.3f at %+d; silence %.1f %%, "
           "M B P %.1f %%, widest %.3f\n",
           name, how, result->now, result->smiling, result->best, result->best_lag,
           100 * result->silence, 100 * result->closed, result->range);
    bool good = true;
    good &= (result->now >= 0.8 && result->smiling >= 0.8) ||
            !printf("    the opening does not follow the phonemes\n");
    good &= abs(result->best_lag) <= 1 || !printf("    the mouth is early or late\n");
    good &= result->silence <= 0.05 || !printf("    the mouth moves in silence\n");
    good &= result->closed <= 0.05 || !printf("    M B P do not close\n");
    return good;
}

/* --- the shapes, each held
 * --------------------------------------------------------------------- */

/* Mean difference of two frames around the mouth, in levels of 0..255. */
static double difference(const struct picture *a, const struct picture *b, const struct face *face)
{
    const struct point3 *right = &face->points[61], *left = &face->points[291];
    float half = distance(*right, *left) / 2;
    int left_x = (int)((right->x + left->x) / 2 - half), y = (int)((right->y + left->y) / 2);
    double sum = 0, count = 0;
    for (int row = y - (int)(half * 0.4f); row < y + (int)(half * 0.8f); row++)
        for (int i = 3 * left_x; i < 3 * (left_x + (int)(2 * half)); i++, count++)
            sum += abs(picture_row(a, row)[i] - picture_row(b, row)[i]);
    return sum / count;
}

static bool check_differences(const struct picture *frames, const struct face *face)
{
    double least = 255;
    int one = 0, other = 0;
    for (int i = 0; i < VISEME_COUNT - 1; i++) /* all but H, which looks like what follows */
        for (int j = 0; j < i; j++) {
            double by = difference(&frames[i], &frames[j], face);
            if (by < least) {
                least = by;
                one = i;
                other = j;
            }
        }
    printf("%-14s %-8s nearest shapes %d and %d, %.1f levels apart\n", "", "held", one, other,
           least);
    return least >= min_difference || !printf("    two sounds look the same\n");
}

static bool check_proportion(struct measure *measure, const struct picture *widest,
                             struct error *err)
{
    struct face faces[MAX_FACES];
    int count = 0;
    if (!vision_faces(measure->vision, widest, faces, &count, err))
        return false;
    const struct point3 *points = faces[0].points;
    double ratio = count ? distance(points[13], points[14]) / distance(points[78], points[308]) : 9;
    printf("%-14s %-8s the widest opening is %.2f times as high as wide\n", "", "held", ratio);
    return (ratio > 0.15 && ratio < 0.75) || !printf("    out of proportion\n");
}

static bool try_shapes(struct measure *measure, const struct portrait *portrait, struct error *err)
{
    const float each_s = 0.4f;
    struct viseme_span spans[VISEME_COUNT];
    for (int i = 0; i < VISEME_COUNT; i++)
        spans[i] =
            (struct viseme_span){each_s * (float)i, each_s * (float)(i + 1), (enum viseme)i, 1};
    struct viseme_track track = {VISEME_COUNT, spans};
    struct scene scene = {.photo = &portrait->photo,
                          .face = &portrait->face,
                          .track = &track,
                          .duration_s = each_s * VISEME_COUNT,
                          .fps = FPS,
                          .seed = 11};
    AUTO(renderer_free) struct renderer *renderer = renderer_new(&scene, err);
    if (!renderer)
        return false;
    struct picture frames[VISEME_COUNT];
    for (int i = 0; i < VISEME_COUNT; i++) {
        frames[i] = picture_new(SIDE, SIDE, PICTURE_RGB);
        renderer_frame_rgb(renderer, (int)((i + 0.5f) * each_s * FPS), &frames[i]);
    }
    *err = (struct error){.text = "shapes are not good enough"};
    bool good = check_differences(frames, &portrait->face);
    good &= check_proportion(measure, &frames[VISEME_A], err);
    for (int i = 0; i < VISEME_COUNT; i++)
        picture_dispose(&frames[i]);
    return good;
}

/* Another person in another light, as far as pixels go. */
static void mirror_and_dim(struct picture *picture)
{
    for (int y = 0; y < picture->height; y++) {
        uint8_t *row = picture_row(picture, y);
        for (int x = 0; x < picture->width / 2; x++)
            for (int c = 0; c < 3; c++) {
                uint8_t *other = &row[3 * (picture->width - 1 - x) + c], kept = row[3 * x + c];
                row[3 * x + c] = *other;
                *other = kept;
            }
        for (int i = 0; i < 3 * picture->width; i++)
            row[i] = (uint8_t)(row[i] * 5 / 8);
    }
}

static bool try_picture(struct measure *measure, const struct picture *photo, const char *name,
                        const char *how, bool sway, struct error *err)
{
    AUTO(portrait_dispose) struct portrait portrait = {0};
    struct face faces[MAX_FACES];
    int count = 0;
    if (!vision_faces(measure->vision, photo, faces, &count, err))
        return false;
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "%s: no face", name);
    const struct portrait_wish wish = {
        .faces = faces, .face_count = 1, .width = SIDE, .height = SIDE};
    if (!portrait_make(measure->vision, photo, &wish, &portrait, err) ||
        !measure_frames(measure, &portrait, sway, err))
        return false;
    struct result result = judge(measure);
    if (!sway && !try_shapes(measure, &portrait, err))
        return false;
    return check(name, how, &result) ||
           error_set(err, ERROR_INVALID, "%s, %s: not good enough", name, how);
}

static bool try_photo(struct measure *measure, struct photos *photos, const char *path,
                      struct error *err)
{
    AUTO(picture_dispose) struct picture photo = {0};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (!photos_decode(photos, path, 2048, &photo, err) ||
        !try_picture(measure, &photo, name, "still", false, err) ||
        !try_picture(measure, &photo, name, "swaying", true, err))
        return false;
    mirror_and_dim(&photo);
    return try_picture(measure, &photo, name, "mirrored", false, err);
}

int main(int argc, char **argv)
{
    struct error err;
    struct photos *photos = photos_open(NULL, &err);
    struct measure *measure = xcalloc(1, sizeof *measure);
    measure->vision = photos && argc > 2 ? vision_open(argv[1], &err) : NULL;
    int failed = !measure->vision;
    speak(measure);
    for (int i = 2; measure->vision && i < argc; i++)
        if (!try_photo(measure, photos, argv[i], &err)) {
            fprintf(stderr, "%s\n", err.text);
            failed = 1;
        }
    vision_close(measure->vision);
    photos_close(photos);
    free(measure);
    return failed;
}
