/* SPDX-License-Identifier: Apache-2.0 */
/* What all endpoints of the image service do with a photo: wait for a turn, decode it, look at it,
 * and send a picture back. How many do so at once, and wait, is bounded here. */
#pragma once

#include "api/endpoint.h"
#include "api/timing.h"
#include "image/cutout.h"
#include "image/portrait.h"
#include "image/scheduler.h"

struct photo_work {
    struct engines *engines;
    struct vision *vision;
    struct scheduler *turns; /* whose ticket is held; NULL: none */
    struct ticket ticket;
    struct segment_how how;     /* gives up when the client did */
    char model[MODEL_KEY_SIZE]; /* what cut out last */
    bool told;                  /* … and looked at prompts */
    const char *path;
    struct picture photo; /* RGB */
    struct picture alpha; /* grey, where the file has some */
    struct face *faces;   /* room for MAX_FACES; after photo_work_faces */
    int face_count;
    struct timing timing; /* so far: wait, decode, and mask and colour of photo_work_cut_out */
};

/* The form's `image`. Errors as image/portrait.h, and image_busy when too many wait already. */
MUST_USE bool photo_work_begin(struct api *api, const struct http_request *request,
                               struct photo_work *out, struct error *err);
void photo_work_end(struct photo_work *work);
static inline void photo_work_end_auto(struct photo_work *work)
{
    photo_work_end(work);
}

/* Finds the faces, largest first, unless that was done. None is no error. */
MUST_USE bool photo_work_faces(struct photo_work *work, struct error *err);

/* Everybody: with their faces where these were found already. */
struct cutout_who photo_work_everybody(const struct photo_work *work);

/* The people (see cutout.h) with straight alpha. */
MUST_USE bool photo_work_cut_out(struct photo_work *work, const struct cutout_who *who,
                                 struct picture *out, struct error *err);

/* The body of a response. */
MUST_USE bool answer_png(struct photo_work *work, const struct picture *picture,
                         struct http_response *response, struct error *err);
/* A member of a JSON answer. */
MUST_USE bool put_png_url(struct jv *object, const char *key, const struct picture *picture,
                          struct error *err);
MUST_USE bool put_jpeg_url(struct jv *object, const char *key, const struct picture *picture,
                           struct error *err);

/* "true", "1", "yes", "on" and their opposites; `initial` when it was not sent. Error
 * switch_malformed about the field. */
MUST_USE bool form_switch(const struct http_form *form, const char *name, bool initial, bool *out,
                          struct error *err);
