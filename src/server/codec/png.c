/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdio.h>

#include <png.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/codec.h"
#include "codec/png_internal.h"
#include "media/picture.h"

/* A cut-out is mostly photo and mostly nothing: the first levels of zlib get nearly all there is
 * to get, in a third of the time. */
enum { LEVEL = 2 };

struct writer {
    struct buf *out;
    struct error *err;
    bool full;
    jmp_buf back;
};

static void write_bytes(png_structp png, png_bytep data, size_t size)
{
    struct writer *writer = png_get_io_ptr(png);
    if (buf_append(writer->out, (struct bytes){data, size}, writer->err))
        return;
    writer->full = true;
    png_error(png, "no room");
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static NORETURN void give_up(png_structp png, png_const_charp text)
{
    struct writer *writer = png_get_error_ptr(png);
    (void)text;
    longjmp(writer->back, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static int colour_of(const struct picture *picture)
{
    return picture->channels == PICTURE_GREY  ? PNG_COLOR_TYPE_GRAY
           : picture->channels == PICTURE_RGB ? PNG_COLOR_TYPE_RGB
                                              : PNG_COLOR_TYPE_RGB_ALPHA;
}

static void write_all(png_structp png, png_infop info, const struct picture *picture)
{
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 colour_of(picture), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_compression_level(png, LEVEL);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_write_info(png, info);
    for (int y = 0; y < picture->height; y++)
        png_write_row(png, picture_row(picture, y));
    png_write_end(png, NULL);
}

/* Nothing is cleaned up by scope in here: longjmp would skip it. */
static bool compress(png_structp png, png_infop info, struct writer *writer,
                     const struct picture *picture)
{
    if (setjmp(writer->back) != 0)
        return false;
    png_set_write_fn(png, writer, write_bytes, flush_nothing);
    write_all(png, info, picture);
    return true;
}

bool picture_to_png(const struct picture *picture, struct buf *out, struct error *err)
{
    struct writer writer = {.out = out, .err = err};
    size_t before = out->size;
    if (png_is_small(picture, out))
        return png_write_small(picture, out, err);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, give_up, ignore);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool done = info && compress(png, info, &writer, picture);
    png_destroy_write_struct(png ? &png : NULL, info ? &info : NULL);
    if (done)
        return true;
    out->size = before;
    if (out->data)
        out->data[before] = '\0';
    return writer.full ? error_wrap(err, "write a PNG")
                       : error_set(err, ERROR_INTERNAL, "the PNG cannot be written");
}
