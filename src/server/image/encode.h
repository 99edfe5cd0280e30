/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of ours as files. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct buf;
struct error;
struct picture;

/* Grey, RGB or RGBA; fast rather than small. */
MUST_USE bool picture_png(const struct picture *picture, struct buf *out, struct error *err);
/* RGB or RGBA; `quality` 0..100. */
MUST_USE bool picture_webp(const struct picture *picture, int quality, struct buf *out,
                           struct error *err);
