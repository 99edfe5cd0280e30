/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is, by its bytes alone; names and announced types are not believed. Pure. */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

enum photo_format {
    PHOTO_NONE,
    PHOTO_JPEG,
    PHOTO_PNG,
    PHOTO_WEBP,
    PHOTO_HEIF, /* HEIC and AVIF */
    PHOTO_TIFF,
    PHOTO_GIF,
};

enum photo_format photo_sniff(struct bytes file);

/* Does it announce more than one frame in time? (PNG, WebP and GIF; HEIF by its brand.) */
bool photo_moves(enum photo_format format, struct bytes file);

/* Does its own structure reach beyond its end? Only where the format says so in few words (PNG,
 * WebP, HEIF). */
bool photo_ends_early(enum photo_format format, struct bytes file);
