/* SPDX-License-Identifier: Apache-2.0 */
/* Where faces are: MediaPipe's short-range detector on the whole picture and, for small faces,
 * on overlapping parts of it. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "media/face.h"

struct error;
struct picture;
struct session;

struct detection {
    struct box box; /* pixels of the photo */
    float score;
    float right_eye[2], left_eye[2]; /* the person's own right and left */
    float nose[2];
};

enum { MAX_DETECTIONS = 64 };

/* The best first. `photo` is RGB. */
MUST_USE bool detect_faces(struct session *detector, const struct picture *photo,
                           struct detection out[MAX_DETECTIONS], int *out_count, struct error *err);
