/* SPDX-License-Identifier: Apache-2.0 */
/* Where a brow begins, as the photo shows it: landmarks follow its line, not its hair. */
#pragma once

#include "video/face_map.h"
#include "video/renderer.h"

/* Between the lid's edge and the brow, along one column of an eye; y grows downwards. */
struct brow_search {
    float x, lid, brow; /* the edge of the upper lid, the middle of the brow */
};

/* How far above the lid's edge skin reaches before hair, or the rim of glasses, begins; `room`
 * where there is nothing darker than the skin. */
float brow_skin(const struct frame420 *photo, const struct axes *axes, float px_per_mm,
                const struct brow_search *search, float room);
