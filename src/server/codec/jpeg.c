/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "codec/codec.h"
#include "media/picture.h"

struct failure {
    struct jpeg_error_mgr base; /* first: the library knows only this */
    jmp_buf back;
};

static NORETURN void give_up(j_common_ptr jpeg)
{
    struct failure *failure = (struct failure *)jpeg->err;
    longjmp(failure->back, 1);
}

static bool compress(const struct picture *picture, int quality, unsigned char **out,
                     unsigned long *out_size)
{
    struct jpeg_compress_struct jpeg;
    struct failure failure;
    bool grey = picture->channels == PICTURE_GREY;
    jpeg.err = jpeg_std_error(&failure.base);
    failure.base.error_exit = give_up;
    jpeg_create_compress(&jpeg);
    if (setjmp(failure.back) != 0) {
        jpeg_destroy_compress(&jpeg);
        return false;
    }
    jpeg_mem_dest(&jpeg, out, out_size);
    jpeg.image_width = (JDIMENSION)picture->width;
    jpeg.image_height = (JDIMENSION)picture->height;
    jpeg.input_components = grey ? 1 : 3;
    jpeg.in_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = picture_row(picture, (int)jpeg.next_scanline);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return true;
}

bool picture_to_jpeg(const struct picture *picture, int quality, struct buf *out, struct error *err)
{
    AUTO(mem_free) unsigned char *data = NULL;
    unsigned long size = 0;
    if (picture->channels == PICTURE_RGBA)
        return error_set(err, ERROR_INVALID, "a JPEG has no alpha");
    if (!compress(picture, quality, &data, &size))
        return error_set(err, ERROR_INTERNAL, "the JPEG cannot be written");
    return buf_append(out, (struct bytes){data, size}, err) || error_wrap(err, "write a JPEG");
}
