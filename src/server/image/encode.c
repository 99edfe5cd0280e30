/* SPDX-License-Identifier: Apache-2.0 */
#include "image/encode.h"

#include <stdlib.h>

#include <png.h>
#include <webp/encode.h>

#include "base/buf.h"
#include "base/error.h"
#include "media/picture.h"

/* libpng leaves through longjmp when something fails, so this holds nothing that C would free. */
struct sink {
    struct buf *out;
    struct error *err;
};

static void on_write(png_structp png, png_bytep data, png_size_t size)
{
    struct sink *sink = png_get_io_ptr(png);
    if (!buf_append(sink->out, (struct bytes){data, size}, sink->err))
        png_longjmp(png, 1);
}

static void on_flush(png_structp png)
{
    (void)png;
}

static int colour_type(int channels)
{
    return channels == PICTURE_GREY  ? PNG_COLOR_TYPE_GRAY
           : channels == PICTURE_RGB ? PNG_COLOR_TYPE_RGB
                                     : PNG_COLOR_TYPE_RGB_ALPHA;
}

static bool write_all(png_structp png, png_infop info, const struct picture *picture)
{
    if (setjmp(png_jmpbuf(png)))
        return false;
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 colour_type(picture->channels), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_compression_level(png, 1);
    png_set_filter(png, 0, PNG_FILTER_SUB);
    png_write_info(png, info);
    for (int y = 0; y < picture->height; y++)
        png_write_row(png, picture_row(picture, y));
    png_write_end(png, info);
    return true;
}

bool picture_png(const struct picture *picture, struct buf *out, struct error *err)
{
    struct sink sink = {out, err};
    error_set(err, ERROR_INTERNAL, "write a PNG");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (png)
        png_set_write_fn(png, &sink, on_write, on_flush);
    bool done = info && write_all(png, info, picture);
    png_destroy_write_struct(&png, &info);
    return done;
}

bool picture_webp(const struct picture *picture, int quality, struct buf *out, struct error *err)
{
    uint8_t *bytes = NULL;
    int stride = (int)picture->stride;
    size_t size = picture->channels == PICTURE_RGBA
                      ? WebPEncodeRGBA(picture->pixels, picture->width, picture->height, stride,
                                       (float)quality, &bytes)
                      : WebPEncodeRGB(picture->pixels, picture->width, picture->height, stride,
                                      (float)quality, &bytes);
    bool done = size > 0 && buf_append(out, (struct bytes){bytes, size}, err);
    if (size == 0)
        error_set(err, ERROR_INTERNAL, "write a WebP");
    WebPFree(bytes);
    return done;
}
