/* SPDX-License-Identifier: Apache-2.0 */
/* From a photo to what the renderer needs: decoded, faces found, cropped for the format, the
 * person cut out. Blocking; call from a worker. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "image/models.h"
#include "media/face.h"
#include "media/picture.h"

struct error;
struct segment;
struct segment_how;

/* Starts a decoder for this one picture, which costs 40 ms; see vision_decode and image/photo.h,
 * which has the errors. */
MUST_USE bool photo_decode(const char *path, int max_side, struct picture *out, struct error *err);

enum { MAX_FACES = 16 };

struct vision; /* the loaded models; one per process, calls may come from several threads */
struct vision_settings {
    const char *models_dir;
    const char *onnxruntime; /* the library's file, or NULL to search (infer/runtime.h) */
    /* As in image/segment.h; all may be left out. */
    const char *user_models_dir, *image_model, *device;
    int threads, streams, queue;
    size_t memory_bytes;
    const char *inference; /* "auto", "child" or "inside"; NULL is "auto" */
    const char *tuning_path, *visible_gpus;
    const char *image_service; /* URL of a vmad that cuts people out instead; NULL: here */
};
MUST_USE struct vision *vision_open_with(const struct vision_settings *settings, struct error *err);
MUST_USE struct vision *vision_open(const char *models_dir, struct error *err);
void vision_close(struct vision *vision);
static inline void vision_close_auto(struct vision **vision)
{
    vision_close(*vision);
}
/* Where and with what it works now, for health: "cpu", or what was asked and what runs instead, and
 * why the model is not the chosen one. */
void vision_describe(const struct vision *vision, char *out, size_t size);
/* Does the other vmad answer? Only with an image_service; blocking, two seconds at most. */
MUST_USE bool vision_check_service(struct vision *vision, struct error *err);
/* What cuts people out: for keys of artifacts ("portrait@1:029f17bdb66a"), health and metrics. */
struct segment *vision_segment(const struct vision *vision);

/* photos_decode (image/photo.h) with the decoder that was started with the models. */
MUST_USE bool vision_decode(struct vision *vision, const char *path, int max_side,
                            struct picture *out, struct error *err);

/* How far each pixel is the person (grey, the photo's size); `photo` is RGB. */
MUST_USE bool vision_matte(struct vision *vision, const struct picture *photo, struct picture *out,
                           struct error *err);

/* Faces with landmarks, the largest first. None is not an error. */
MUST_USE bool vision_faces(struct vision *vision, const struct picture *photo,
                           struct face faces[MAX_FACES], int *out_count, struct error *err);

/* The same with their boxes and the tips of their noses only, for a third less: who is meant. */
MUST_USE bool vision_heads(struct vision *vision, const struct picture *photo,
                           struct face faces[MAX_FACES], int *out_count, struct error *err);

/* Where faces may be, at one quick look: no landmarks, and tiny ones are not seen. RGB. */
MUST_USE bool vision_glance(struct vision *vision, const struct picture *photo,
                            struct box boxes[MAX_FACES], int *out_count, struct error *err);

/* Is this face usable for a talking portrait? Errors about "image": image_face_too_small,
 * image_face_profile. */
MUST_USE bool face_usable(const struct face *face, const struct picture *photo, struct error *err);

/* The part of the photo that becomes the frame: upper body, the eyes where a portrait
 * photographer would put them; leaves the photo only where it must (`out` may then lie outside). */
struct box portrait_crop(const struct face *face, const struct picture *photo, int width,
                         int height);

struct portrait {
    struct picture photo;      /* RGB, frame size */
    struct picture matte;      /* grey: 255 is the person */
    struct picture foreground; /* RGB: the person's own colour, also under soft edges */
    struct face face;          /* in pixels of the frame */
    /* The faces of who else is in the photo, also in pixels of the frame: until they are cut out.
     */
    struct box others[MAX_FACES];
    int other_count;
    struct box covered; /* the part of the frame that the photo covers; the rest is made up */
    char model[MODEL_KEY_SIZE]; /* what cut the person out, as in the name of its artifact, or "" */
};
void portrait_dispose(struct portrait *portrait);
static inline void portrait_dispose_auto(struct portrait *portrait)
{
    portrait_dispose(portrait);
}

/* Crops, scales, cuts out (when `cut_out`; otherwise matte and foreground stay empty) and moves
 * the landmarks. Of several people the others are not part of the cut-out. */
struct portrait_wish {
    const struct face *faces; /* all of the photo */
    int face_count, chosen;
    int width, height;
    bool cut_out;
    bool in_place; /* the person stays before the photo's own background; else, where the frame is
                      larger than the photo, the cut-out fades at the photo's edge */
    const struct segment_how *how; /* image/segment.h; NULL: at leisure */
};
MUST_USE bool portrait_make(struct vision *vision, const struct picture *photo,
                            const struct portrait_wish *wish, struct portrait *out,
                            struct error *err);

/* The two halves of portrait_make, for who wants to render while the person is still being cut
 * out: the first is fast and gives photo and face, the second fills matte and foreground and
 * changes nothing else, so that another thread may read photo and face meanwhile. */
void portrait_frame(const struct picture *photo, const struct face *face, int width, int height,
                    struct portrait *out);
MUST_USE bool portrait_cut_out(struct vision *vision, const struct portrait_wish *wish,
                               struct portrait *portrait, struct error *err);
