/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the person when the photo's own background is kept and the head moves in front
 * of it. */
#pragma once

#include "media/picture.h"

struct frame420;

/* How much of each pixel moves with the person: the matte grown by a soft rim of background, so
 * that hair keeps what surrounds it in the photo. Of the size of `matte`. */
struct picture backdrop_rim(const struct picture *matte, float px_per_mm);

/* Replaces what `cover` hides at all by a smooth continuation of what it does not. */
void backdrop_fill(struct frame420 *frame, const struct picture *cover);
