/* SPDX-License-Identifier: Apache-2.0 */
/* PNG in one go, for pictures small enough to have their bytes in memory twice. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct buf;
struct error;
struct picture;

/* Is it small enough, with room in `out` whatever comes of it? */
bool png_is_small(const struct picture *picture, const struct buf *out);
/* Appends the file of a picture that is. */
MUST_USE bool png_write_small(const struct picture *picture, struct buf *out, struct error *err);
