/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame shows where it is larger than its photo. */
#pragma once

#include "media/face.h"
#include "media/picture.h"

/* The part of `frame` that the photo covers when `crop` (in the photo's pixels) fills it; the
 * frame itself when the crop stays inside. */
struct box surround_covered(struct box crop, const struct picture *photo,
                            const struct picture *frame);

/* Beyond `covered` the frame goes on in the colours of the photo's border, the softer and the
 * darker the further out: no seam at the photo's edge, no streaks, no face or hair a second time.
 * RGB. */
void surround_fill(struct picture *frame, struct box covered);

/* Nobody stands outside the photo: fades the matte (grey, the frame's size) out over the last
 * pixels of `covered`, on the sides where the frame goes on. */
void surround_clear(struct picture *matte, struct box covered);
