/* SPDX-License-Identifier: Apache-2.0 */
/* MediaPipe's canonical face: where the first 468 landmarks of a `struct face` lie on an average
 * head that looks straight ahead. */
#pragma once

#include <stdint.h>

#include "media/face.h"

enum { FACE_MESH_VERTICES = 468 };

/* Centimetres: x to the right of the picture, y up, z towards the camera; the origin is inside
 * the head, between the eyes. (Landmarks have y down and z away from the camera.) */
extern const struct point3 face_mesh_vertices[FACE_MESH_VERTICES];
