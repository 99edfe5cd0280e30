/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/thumbnail_internal.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "codec/codec.h"
#include "media/picture.h"
#include "media/scale.h"

enum { QUALITY = 82 };

bool thumbnail_make(const struct picture *picture, int side, struct buf *out, struct error *err)
{
    int longest = picture->width > picture->height ? picture->width : picture->height;
    double scale = longest > side ? (double)side / longest : 1;
    int width = (int)(picture->width * scale + .5), height = (int)(picture->height * scale + .5);
    AUTO(picture_dispose)
    struct picture small = picture_cover(picture, width > 0 ? width : 1, height > 0 ? height : 1);
    return picture_to_jpeg(&small, QUALITY, out, err);
}
