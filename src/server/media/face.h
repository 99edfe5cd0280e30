/* SPDX-License-Identifier: Apache-2.0 */
/* A face as the landmark model sees it. */
#pragma once

#include <stdbool.h>

/* The 468 points of the MediaPipe face mesh, then 5 for each iris (right eye of the person 468…472,
 * left 473…477; each centre first). */
enum { FACE_POINTS = 478 };

struct point3 {
    float x, y; /* pixels of the picture it belongs to, (0, 0) is the corner of the first pixel */
    float z;    /* depth in the same scale, smaller is nearer, 0 near the centre of the head */
};

struct box {
    float x, y, width, height; /* pixels */
};

struct face {
    struct box box; /* of the detector: brow to chin, ear to ear */
    float score;    /* 0..1, that this is a face at all */
    /* Radians; all zero looks straight into the camera. Positive: the head leans clockwise as the
     * picture shows it, turns towards the picture's right edge, looks up. */
    float roll, yaw, pitch;
    struct point3 points[FACE_POINTS];
};
