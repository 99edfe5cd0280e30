/* SPDX-License-Identifier: Apache-2.0 */
/* From the coarse mask of a segmentation network to an alpha matte that follows hair and edges,
 * and to the person's own colour under it. */
#pragma once

#include "base/attributes.h"
#include "media/picture.h"

/* `coarse` (grey, any size, laid over the whole photo) becomes `out` (grey, the photo's size):
 * a guided filter whose guide is the photo's colour, then a stretch that makes solid parts solid.
 */
void matte_refine(const struct picture *photo, const struct picture *coarse,
                  const struct picture *out);

/* The matte drawn in by some pixels: where the photo is the person and nothing else. Cameras and
 * codecs let colours run over edges, so that just inside of one there is a rim of the background.
 */
MUST_USE struct picture matte_inside(const struct picture *matte, int pixels);

/* What the person's colour is where the matte is soft, without the background that shines
 * through (blur fusion): `out` is RGB of the photo's size. */
void foreground_estimate(const struct picture *photo, const struct picture *matte,
                         const struct picture *out);
