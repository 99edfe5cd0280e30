/* SPDX-License-Identifier: Apache-2.0 */
/* Where faces might be: MediaPipe's short-range detector on a picture or parts of it. */
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

/* What the detector sees in `part` of the photo (RGB), the best first. It sees faces that are
 * between about a tenth and three quarters of the part. */
MUST_USE bool detect_faces(struct session *detector, const struct picture *photo, struct box part,
                           struct detection out[MAX_DETECTIONS], int *out_count, struct error *err);

/* The same in parts that are 1/`split` of the photo and overlap by half: for small faces. */
MUST_USE bool detect_faces_in_parts(struct session *detector, const struct picture *photo,
                                    int split, struct detection out[MAX_DETECTIONS], int *out_count,
                                    struct error *err);

/* Intersection over union, 0..1. */
float box_overlap(struct box a, struct box b);
