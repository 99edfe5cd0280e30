/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as planar YUV 4:2:0 and back: BT.709, limited range, chroma to the left as H.264 has
 * it by default. */
#pragma once

#include "media/picture.h"
#include "video/renderer.h"

/* Storage for a frame of even sides, not cleared; one block that begins at planes[0]. */
MUST_USE struct frame420 frame420_new(int width, int height);
void frame420_dispose(struct frame420 *frame);
static inline void frame420_dispose_auto(struct frame420 *frame)
{
    frame420_dispose(frame);
}

/* RGB of the same size. */
void frame420_from_picture(const struct picture *picture, struct frame420 *out);
void frame420_to_picture(const struct frame420 *frame, struct picture *out);
void frame420_copy(const struct frame420 *from, struct frame420 *to);
/* Only some rows; both numbers even. */
void frame420_copy_rows(const struct frame420 *from, int top, int rows, struct frame420 *to);
