/* SPDX-License-Identifier: Apache-2.0 */
/* Scaling part of a picture to another size, with a filter as wide as the scale asks for, so
 * that nothing flickers or aliases. */
#pragma once

#include "media/face.h"
#include "media/picture.h"

enum resample_filter {
    RESAMPLE_TRIANGLE, /* fast: for what a model looks at */
    RESAMPLE_CUBIC,    /* Catmull-Rom: for what people look at */
};

/* The part `box` of `from`, filling `to`, which exists already and has as many channels. Where
 * the box leaves the picture, the edge is repeated. */
void picture_resample(const struct picture *from, struct box box, enum resample_filter filter,
                      const struct picture *to);
