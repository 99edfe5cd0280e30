/* SPDX-License-Identifier: Apache-2.0 */
/* MediaPipe's canonical face: how the first 468 landmarks of a `struct face` join into a surface,
 * and where they lie on an average head that looks straight ahead. */
#pragma once

#include <stdint.h>

#include "media/face.h"

enum { FACE_MESH_VERTICES = 468, FACE_MESH_TRIANGLES = 898 };

/* Centimetres: x to the right of the picture, y up, z towards the camera; the origin is inside
 * the head, between the eyes. (Landmarks have y down and z away from the camera.) */
extern const struct point3 face_mesh_vertices[FACE_MESH_VERTICES];

/* The same points unrolled onto the unit square, (0, 0) bottom left. */
extern const float face_mesh_uv[FACE_MESH_VERTICES][2];

/* Indices of landmarks, all wound the same way. The eyes and the mouth are closed surfaces: the
 * triangles inside the lips' inner edge and inside the eyelids are part of it. */
extern const uint16_t face_mesh_triangles[FACE_MESH_TRIANGLES][3];
