/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/faces.h"
#include "image/photo.h"
#include "image/portrait.h"
#include "image/remote.h"
#include "image/segment.h"
#include "infer/runtime.h"
#include "infer/trace.h"
#include "sys/memory.h"

struct vision {
    struct photos *photos;
    struct runtime *runtime;
    struct session *detector;
    pthread_mutex_t lock;      /* the next line */
    struct session *landmarks; /* NULL until somebody's face is looked for */
    char *folder;
    struct segment *segment;
    struct remote *remote; /* or NULL */
};

static struct session *model_open(struct runtime *runtime, const char *folder, const char *name,
                                  struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/%s.onnx", folder, name);
    struct session_options options = {.threads = 1};
    return session_open(runtime, path, &options, err);
}

static enum inference_place place_of(const char *text)
{
    if (text && strcmp(text, "child") == 0)
        return INFERENCE_CHILD;
    return text && strcmp(text, "inside") == 0 ? INFERENCE_INSIDE : INFERENCE_AUTO;
}

static bool models_open(struct vision *vision, const struct vision_settings *settings,
                        enum inference_place place, struct error *err)
{
    const char *folder = settings->models_dir;
    vision->detector = model_open(vision->runtime, folder, "face_detection", err);
    if (!vision->detector)
        return false;
    if (settings->image_service) {
        vision->remote = remote_open(settings->image_service, vision->photos, err);
        if (!vision->remote)
            return false;
    }
    struct segment_settings segment = {.embedded_dir = folder,
                                       .user_dir = settings->user_models_dir,
                                       .image_model = settings->image_model,
                                       .device = settings->device,
                                       .threads = settings->threads,
                                       .streams = settings->streams,
                                       .tuning_path = settings->tuning_path,
                                       .visible_gpus = settings->visible_gpus,
                                       .queue = settings->queue,
                                       .memory_bytes = settings->memory_bytes,
                                       .place = place,
                                       .onnxruntime = settings->onnxruntime,
                                       .remote = vision->remote};
    vision->segment = segment_open(vision->runtime, &segment, err);
    if (!vision->segment)
        return false;
    return true;
}

struct vision *vision_open_with(const struct vision_settings *settings, struct error *err)
{
    AUTO(vision_close) struct vision *vision = xcalloc(1, sizeof *vision);
    pthread_mutex_init(&vision->lock, NULL);
    vision->folder = xstrdup(settings->models_dir);
    vision->photos = photos_open(NULL, err); /* gets ready while the models are loaded */
    if (!vision->photos)
        return NULL;
    enum inference_place place = place_of(settings->inference);
    vision->runtime = place == INFERENCE_CHILD
                          ? runtime_open_apart(NULL, settings->onnxruntime, err)
                          : runtime_open(settings->onnxruntime, err);
    if (!vision->runtime)
        return NULL;
    if (!models_open(vision, settings, place, err))
        return NULL;
    memory_trim(); /* loading leaves 6 MB of holes behind */
    return TAKE(vision);
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
    segment_close(vision->segment);
    remote_close(vision->remote);
    runtime_close(vision->runtime);
    pthread_mutex_destroy(&vision->lock);
    free(vision->folder);
    free(vision);
}

void vision_describe(const struct vision *vision, char *out, size_t size)
{
    struct segment_state state = segment_state(vision->segment);
    int used = snprintf(out, size, "%s", state.why[0] ? state.why : state.device);
    if (state.model_why[0] && used > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "; not the model that was chosen but %s: %s",
                 state.model, state.model_why);
}

bool vision_decode(struct vision *vision, const char *path, int max_side, struct picture *out,
                   struct error *err)
{
    TRACE("decode");
    return photos_decode(vision->photos, path, max_side, out, err);
}

/* Most of what opening the models takes, and nothing that a plain cut-out needs. */
static struct session *landmarks_get(struct vision *vision, struct error *err)
{
    pthread_mutex_lock(&vision->lock);
    if (!vision->landmarks)
        vision->landmarks = model_open(vision->runtime, vision->folder, "face_landmarks", err);
    struct session *landmarks = vision->landmarks;
    pthread_mutex_unlock(&vision->lock);
    return landmarks;
}

bool vision_faces(struct vision *vision, const struct picture *photo, struct face faces[MAX_FACES],
                  int *out_count, struct error *err)
{
    TRACE("faces");
    struct face_models models = {vision->detector, landmarks_get(vision, err)};
    if (!models.landmarks)
        return false;
    AUTO(picture_dispose) struct picture plain = {0};
    if (photo->channels != PICTURE_RGB) {
        plain = picture_on_white(photo);
        photo = &plain;
    }
    return faces_find(&models, photo, faces, MAX_FACES, out_count, err);
}

bool vision_heads(struct vision *vision, const struct picture *photo, struct face faces[MAX_FACES],
                  int *out_count, struct error *err)
{
    TRACE("faces");
    const struct face_models models = {vision->detector, NULL};
    return faces_find(&models, photo, faces, MAX_FACES, out_count, err);
}

bool vision_glance(struct vision *vision, const struct picture *photo, struct box boxes[MAX_FACES],
                   int *out_count, struct error *err)
{
    return faces_glance(vision->detector, photo, boxes, MAX_FACES, out_count, err);
}

bool vision_matte(struct vision *vision, const struct picture *photo, struct picture *out,
                  struct error *err)
{
    return segment_matte(vision->segment, photo, NULL, NULL, out, err);
}

struct segment *vision_segment(const struct vision *vision)
{
    return vision->segment;
}

bool vision_check_service(struct vision *vision, struct error *err)
{
    return remote_check(vision->remote, err);
}
