/* SPDX-License-Identifier: Apache-2.0 */
/* A person without the background, as a picture of its own. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "image/segment.h"
#include "media/face.h"

struct cut_prompt;
struct error;
struct picture;
struct vision;

/* RGBA of the photo's size: the person's own colours (also under soft edges) and the matte as
 * alpha. `prompt` and `how` may be NULL. */
MUST_USE bool cutout_make(struct vision *vision, const struct picture *photo,
                          const struct cut_prompt *prompt, const struct segment_how *how,
                          struct picture *out, struct error *err);

/* Sets alpha to nothing outside of the box, for one person among several. */
void cutout_keep(const struct picture *cutout, struct box box);

/* The part of an RGBA picture that is not empty, with `margin` around it inside the picture and
 * `transparent` empty pixels around that. False, and no picture, when all of it is empty. */
MUST_USE bool cutout_trim(const struct picture *cutout, int margin, int transparent,
                          struct picture *out, struct box *out_from);
