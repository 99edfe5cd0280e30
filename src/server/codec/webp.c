/* SPDX-License-Identifier: Apache-2.0 */
#include <webp/encode.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/codec.h"
#include "media/picture.h"

enum { METHOD = 2 /* of 0 … 6: quick, a few per cent larger */ };

struct writer {
    struct buf *out;
    struct error *err;
};

static int write_bytes(const uint8_t *data, size_t size, const WebPPicture *picture)
{
    struct writer *writer = picture->custom_ptr;
    return buf_append(writer->out, (struct bytes){data, size}, writer->err);
}

static bool import(const struct picture *from, WebPPicture *to)
{
    to->width = from->width;
    to->height = from->height;
    int stride = (int)from->stride;
    return from->channels == PICTURE_RGBA ? WebPPictureImportRGBA(to, from->pixels, stride)
                                          : WebPPictureImportRGB(to, from->pixels, stride);
}

bool picture_to_webp(const struct picture *picture, int quality, struct buf *out, struct error *err)
{
    struct writer writer = {out, err};
    size_t before = out->size;
    WebPConfig config;
    WebPPicture webp;
    if (picture->channels == PICTURE_GREY)
        return error_set(err, ERROR_INVALID, "a WebP has colour");
    if (!WebPConfigInit(&config) || !WebPPictureInit(&webp))
        return error_set(err, ERROR_INTERNAL, "libwebp is of another version");
    config.quality = (float)quality;
    config.method = METHOD;
    webp.writer = write_bytes;
    webp.custom_ptr = &writer;
    bool done = import(picture, &webp) && WebPEncode(&config, &webp);
    WebPEncodingError why = webp.error_code;
    WebPPictureFree(&webp);
    if (done)
        return true;
    out->size = before;
    if (out->data)
        out->data[before] = '\0';
    if (why == VP8_ENC_ERROR_BAD_WRITE)
        return error_wrap(err, "write a WebP");
    if (why == VP8_ENC_ERROR_BAD_DIMENSION)
        return error_set(err, ERROR_LIMIT, "%d × %d pixels are too many for a WebP", picture->width,
                         picture->height);
    return error_set(err, ERROR_INTERNAL, "the WebP cannot be written (%d)", (int)why);
}
