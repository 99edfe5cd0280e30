/* SPDX-License-Identifier: Apache-2.0 */
/* People cut out of a photo at its own size: the matte, and the picture with straight alpha. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "image/cutter.h"
#include "image/segment.h"
#include "media/face.h"

struct error;
struct picture;
struct vision;

/* Whom to keep. All zero: everybody. */
struct cutout_who {
    const struct face *faces; /* those of the photo; NULL: they were not looked for */
    int face_count;
    const bool *keep; /* of each face, which must be known then; NULL: all of them */
    struct box box;   /* only what lies in here, about; empty: everywhere */
    /* Only who is there; not who is where one says `outside`. */
    struct cut_point points[CUT_POINTS];
    int point_count;
    bool hint; /* box and points are for networks that take them, and nothing is cut off there */
    struct segment_how how;
};

/* `photo` is RGB. `out` is grey, of its size. Blocking. Whoever the network overlooks in the whole
 * photo, because others are larger, is looked at again from nearby. Where faces were not looked
 * for, one quick look tells whether somebody may be missing; only then they are. ERROR_INVALID
 * (point_nobody) when nobody is at any of the points. */
MUST_USE bool cutout_matte(struct vision *vision, const struct picture *photo,
                           const struct cutout_who *who, struct picture *out, struct error *err);

/* RGBA: the people's own colour, also under soft edges; black where nobody is. `alpha`, if not
 * NULL, is what the photo had of its own (grey), and stays. */
MUST_USE struct picture cutout_picture(const struct picture *photo, const struct picture *matte,
                                       const struct picture *alpha);

/* The part `box` of the photo, whole pixels; the box is clipped to the photo first. */
MUST_USE struct picture picture_part(const struct picture *photo, struct box *box);
