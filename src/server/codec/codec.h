/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures become files: PNG, WebP and JPEG. Writing only: files that come from outside are read
 * in a confined process (image/photo.h). Pure functions; threads may call them at once. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct buf;
struct error;
struct picture;

/* Append the file. ERROR_LIMIT when it does not fit into `out`. */

/* Grey, RGB or RGBA; without loss. */
MUST_USE bool picture_to_png(const struct picture *picture, struct buf *out, struct error *err);
/* RGB or RGBA; colour with loss (quality 1..100), alpha without. Sides up to 16,383. */
MUST_USE bool picture_to_webp(const struct picture *picture, int quality, struct buf *out,
                              struct error *err);
/* Grey or RGB. */
MUST_USE bool picture_to_jpeg(const struct picture *picture, int quality, struct buf *out,
                              struct error *err);

/* "data:TYPE;base64,…" of a file, as a string to be freed. */
MUST_USE char *data_url(const char *type, const struct buf *file);
