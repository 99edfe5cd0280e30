/* SPDX-License-Identifier: Apache-2.0 */
/* The one thing that a camera's EXIF block says about its pixels: which way is up. Pure. */
#pragma once

#include "base/bytes.h"

/* `block` is a JPEG's APP1 segment without its length. 1 … 8 as TIFF numbers them; 1, which is
 * upright, for whatever is no such block or does not say. */
int exif_orientation(struct bytes block);
