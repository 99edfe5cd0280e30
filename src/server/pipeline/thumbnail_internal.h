/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct buf;
struct error;
struct picture;

/* Appends the RGB picture as a JPEG file, at most `side` pixels in each direction. */
MUST_USE bool thumbnail_make(const struct picture *picture, int side, struct buf *out,
                             struct error *err);
