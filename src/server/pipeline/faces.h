/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a photo, before a message is made of it. What is found is kept, so that the message
 * does not look again. */
#pragma once

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
    } faces[MAX_FACES];       /* the largest first */
};

/* Errors as photo_decode gives them. The file stays the caller's. Blocking. */
MUST_USE bool pipeline_faces(struct pipeline *pipeline, const char *image_path,
                             struct photo_faces *out, struct error *err);
