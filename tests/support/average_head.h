/* SPDX-License-Identifier: Apache-2.0 */
/* The average head seen from the front: landmarks for tests that need a face but no photo. */
#pragma once

#include "media/face_mesh.h"

/* Centred on (x, y), `scale` pixels for a centimetre of the mesh; the irises lie between the lids'
 * corners. */
static inline void average_head(struct face *out, float x, float y, float scale)
{
    static const int eyes[2][3] = {{468, 33, 133}, {473, 362, 263}}; /* iris, corners */
    static const float around[5][2] = {{0, 0}, {.5f, 0}, {0, -.5f}, {-.5f, 0}, {0, .5f}};
    struct point3 *points = out->points;
    for (int i = 0; i < FACE_MESH_VERTICES; i++)
        points[i] =
            (struct point3){x + face_mesh_vertices[i].x * scale,
                            y - face_mesh_vertices[i].y * scale, -face_mesh_vertices[i].z * scale};
    for (int e = 0; e < 2; e++) {
        const struct point3 *a = &points[eyes[e][1]], *b = &points[eyes[e][2]];
        for (int k = 0; k < 5; k++)
            points[eyes[e][0] + k] = (struct point3){(a->x + b->x) / 2 + around[k][0] * scale,
                                                     (a->y + b->y) / 2 + around[k][1] * scale, 0};
    }
}
