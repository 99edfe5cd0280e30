/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a photo, before a message is made of it. What is found is kept, so that the message
 * does not look again. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "image/portrait.h"

struct pipeline;

struct photo_faces {
    int width, height; /* of the picture to which the boxes belong */
    int count;
    struct photo_face {
        struct box box;
        float score;
        bool usable;
        struct error problem; /* why not */
        struct buf thumbnail; /* JPEG of the head, when there is more than one */
    } faces[MAX_FACES];       /* the largest first */
};

void photo_faces_dispose(struct photo_faces *faces);
static inline void photo_faces_dispose_auto(struct photo_faces *faces)
{
    photo_faces_dispose(faces);
}

/* Errors as photo_decode gives them. The file stays the caller's. Blocking. */
MUST_USE bool pipeline_faces(struct pipeline *pipeline, const char *image_path,
                             struct photo_faces *out, struct error *err);
