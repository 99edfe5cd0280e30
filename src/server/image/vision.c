/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/faces.h"
#include "image/matte.h"
#include "image/photo.h"
#include "image/portrait.h"
#include "infer/runtime.h"
#include "media/resample.h"

enum { SEGMENT_SIDE = 256 };

struct vision {
    struct photos *photos;
    struct runtime *runtime;
    struct session *detector, *landmarks, *segmenter;
};

static struct session *model_open(struct runtime *runtime, const char *folder, const char *name,
                                  struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/%s.onnx", folder, name);
    struct session_options options = {.threads = 1};
    return session_open(runtime, path, &options, err);
}

struct vision *vision_open_with(const struct vision_settings *settings, struct error *err)
{
    AUTO(vision_close) struct vision *vision = xcalloc(1, sizeof *vision);
    const char *folder = settings->models_dir;
    vision->photos = photos_open(NULL, err); /* gets ready while the models are loaded */
    if (!vision->photos)
        return NULL;
    vision->runtime = runtime_open(settings->onnxruntime, err);
    if (!vision->runtime)
        return NULL;
    vision->detector = model_open(vision->runtime, folder, "face_detection", err);
    if (!vision->detector)
        return NULL;
    vision->landmarks = model_open(vision->runtime, folder, "face_landmarks", err);
    if (!vision->landmarks)
        return NULL;
    vision->segmenter = model_open(vision->runtime, folder, "selfie_segmentation", err);
    malloc_trim(0); /* loading leaves 6 MB of holes behind */
    return vision->segmenter ? TAKE(vision) : NULL;
}

struct vision *vision_open(const char *models_dir, struct error *err)
{
    return vision_open_with(&(struct vision_settings){.models_dir = models_dir}, err);
}

void vision_close(struct vision *vision)
{
    if (!vision)
        return;
    photos_close(vision->photos);
    session_close(vision->detector);
    session_close(vision->landmarks);
    session_close(vision->segmenter);
    runtime_close(vision->runtime);
    free(vision);
}

const char *vision_device(const struct vision *vision)
{
    const char *fallback = session_fallback(vision->segmenter);
    return fallback ? fallback : session_device(vision->segmenter);
}

bool vision_decode(struct vision *vision, const char *path, int max_side, struct picture *out,
                   struct error *err)
{
    return photos_decode(vision->photos, path, max_side, out, err);
}

bool vision_faces(struct vision *vision, const struct picture *photo, struct face faces[MAX_FACES],
                  int *out_count, struct error *err)
{
    struct face_models models = {vision->detector, vision->landmarks};
    AUTO(picture_dispose) struct picture plain = {0};
    if (photo->channels != PICTURE_RGB) {
        plain = picture_on_white(photo);
        photo = &plain;
    }
    return faces_find(&models, photo, faces, MAX_FACES, out_count, err);
}

bool vision_matte(struct vision *vision, const struct picture *photo, struct picture *out,
                  struct error *err)
{
    enum { SIDE = SEGMENT_SIDE };
    AUTO(picture_dispose) struct picture small = picture_new(SIDE, SIDE, PICTURE_RGB);
    AUTO(mem_free) float *input = xmalloc(sizeof(float) * 4 * SIDE * SIDE);
    float *mask = input + 3 * SIDE * SIDE;
    struct box whole = {0, 0, (float)photo->width, (float)photo->height};
    picture_resample(photo, whole, RESAMPLE_TRIANGLE, &small);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++)
            input[c * SIDE * SIDE + i] =
                (float)picture_row(&small, i / SIDE)[3 * (i % SIDE) + c] / 255;
    struct tensor in = {TENSOR_F32, 4, {1, 3, SIDE, SIDE}, input};
    struct tensor result = {TENSOR_F32, 4, {1, 1, SIDE, SIDE}, mask};
    struct session_run run = {.inputs = &in,
                              .input_count = 1,
                              .wanted = (const int[]){0},
                              .out = &result,
                              .out_count = 1};
    if (!session_run(vision->segmenter, &run, err))
        return error_wrap(err, "cut the person out");
    AUTO(picture_dispose) struct picture coarse = picture_new(SIDE, SIDE, PICTURE_GREY);
    for (int i = 0; i < SIDE * SIDE; i++)
        picture_row(&coarse, i / SIDE)[i % SIDE] = (uint8_t)lrintf(mask[i] * 255);
    *out = picture_new(photo->width, photo->height, PICTURE_GREY);
    matte_refine(photo, &coarse, out);
    return true;
}
