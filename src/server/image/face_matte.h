/* SPDX-License-Identifier: Apache-2.0 */
/* A face belongs to its person: what a cut-out must not miss. Landmarks are in the matte's pixels.
 */
#pragma once

#include "media/face.h"
#include "media/picture.h"

/* How much of the face, as far as it is in the picture, the matte (grey) has: 0..1. */
float face_matte_share(const struct picture *matte, const struct face *face);

/* Makes all of the face part of the person. */
void face_matte_fill(struct picture *matte, const struct face *face);
