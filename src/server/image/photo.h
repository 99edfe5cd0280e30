/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes pictures that came from outside, in sandboxed workers of the programs vmad-jpeg and, for
 * whatever that one does not take, vmad-decoder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct picture;
struct photos;

struct photos_settings {
    const char *program; /* instead of both; NULL: beside this program or in ../libexec/vmad */
    int64_t timeout_ms;  /* for one picture; 0 means 30 s */
};

/* Starts vmad-jpeg in the background; vmad-decoder, which takes 40 ms, when it is needed. Threads
 * may share them. `settings` may be NULL. */
MUST_USE struct photos *photos_open(const struct photos_settings *settings, struct error *err);
void photos_close(struct photos *photos);
static inline void photos_close_auto(struct photos **photos)
{
    photos_close(*photos);
}

/* Orientation applied, converted to sRGB, alpha kept (RGBA) only where the file has some. Larger
 * than `max_side` (at most 4096) is scaled down, and may come out up to 3/10 smaller than that.
 * Errors are about "image": image_empty, image_too_large (bytes), image_not_a_picture,
 * image_truncated, image_too_many_pixels, image_animated, image_decoder_died, image_timeout. */
MUST_USE bool photos_decode(struct photos *photos, const char *path, int max_side,
                            struct picture *out, struct error *err);
