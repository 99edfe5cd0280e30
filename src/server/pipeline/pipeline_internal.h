/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "image/portrait.h"
#include "pipeline/crew_internal.h"
#include "pipeline/estimate_internal.h"
#include "pipeline/pipeline.h"
#include "pipeline/request_internal.h"

struct order;
struct photo;

struct pipeline {
    struct pipeline_options options;
    char *assets_dir, *state_path; /* copies; options point here */
    struct crew *crew;
    /* Passed in this order. Drawing is left when all is drawn, so that the next message's first
     * frames are there when the encoder of this one is done and its memory free. */
    struct gate *drawing, *encoding;
    atomic_bool working; /* jobs are taken from the queue */

    pthread_mutex_t lock; /* of what follows */
    struct estimates estimates;
    struct speaker *left; /* begun before their jobs, see speaker_internal.h */
    size_t spoken;        /* characters of all speakers there are */
    int decoding;         /* photos being decoded now */
    pthread_cond_t decoded;
};

/* Where the built-in picture is, the one drawn for the format if there is one; NULL without
 * assets. To be freed. */
char *pipeline_background_path(const struct pipeline *pipeline, const char *id,
                               const struct format *format);
bool pipeline_bgm_known(const char *id);

/* Photos take tens of megabytes while they are decoded: only as many at once as there are
 * cores. ERROR_UNAVAILABLE (busy) after a while. */
MUST_USE bool pipeline_decode_enter(struct pipeline *pipeline, struct error *err);
void pipeline_decode_leave(struct pipeline *pipeline);

/* The file's picture and faces: found again, or decoded and kept. */
MUST_USE bool photo_make(struct pipeline *pipeline, const char *path, struct hash128 image,
                         struct photo *out, struct error *err);
/* The face that was asked for is there and can be animated. */
MUST_USE bool photo_check(const struct photo *photo, int face, struct error *err);
/* What is made of it. Borrows from the photo. */
struct portrait_wish order_portrait(const struct order *order, const struct photo *photo);

/* Who asks for a message: is told of progress, may call it off. */
struct client {
    void *context;
    bool (*cancelled)(void *context);
    void (*progress)(void *context, const char *stage, double percent, int64_t eta_ms);
};

/* Where the pictures of an order are and where the video goes. */
struct places {
    const char *image_path;      /* of the photo, for when its artifact is gone */
    const char *background_path; /* of an uploaded background, or NULL */
    const char *out_path;        /* written beside and renamed */
};

/* What was made. */
struct made {
    double duration_s;
    int width, height, fps, frames;
    int64_t size_bytes;
    double photo_s, portrait_s, speech_s, render_s, first_frame_s, finish_s, total_s;
    struct buf thumbnail;       /* JPEG */
    char model[MODEL_KEY_SIZE]; /* what cut the person out; "" where nobody was */
};
void made_dispose(struct made *made);
static inline void made_dispose_auto(struct made *made)
{
    made_dispose(made);
}

/* From an order to a video at places->out_path. */
MUST_USE bool message_make(struct pipeline *pipeline, const struct order *order,
                           const struct places *places, const struct client *client,
                           struct made *out, struct error *err);

/* The result's JSON; names are NULL without a store. To be freed. */
MUST_USE char *made_write(const struct pipeline *pipeline, const struct order *order,
                          const struct made *made, double wait_s, const char *video,
                          const char *thumbnail);
/* The job_handler. */
char *pipeline_job(void *context, struct job_run *run, struct error *err);
void pipeline_observe(struct pipeline *pipeline, const char *stage, double seconds);
