/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/thumbnail_internal.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "media/picture.h"
#include "media/scale.h"

enum { QUALITY = 82 };

struct failure {
    struct jpeg_error_mgr base; /* first: the library knows only this */
    jmp_buf back;
};

static NORETURN void give_up(j_common_ptr jpeg)
{
    struct failure *failure = (struct failure *)jpeg->err;
    longjmp(failure->back, 1);
}

static bool compress(const struct picture *picture, unsigned char **out, unsigned long *out_size)
{
    struct jpeg_compress_struct jpeg;
    struct failure failure;
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
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = picture_row(picture, (int)jpeg.next_scanline);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return true;
}

bool thumbnail_make(const struct picture *picture, int side, struct buf *out, struct error *err)
{
    int longest = picture->width > picture->height ? picture->width : picture->height;
    double scale = longest > side ? (double)side / longest : 1;
    int width = (int)(picture->width * scale + .5), height = (int)(picture->height * scale + .5);
    AUTO(picture_dispose)
    struct picture small = picture_cover(picture, width > 0 ? width : 1, height > 0 ? height : 1);
    AUTO(mem_free) unsigned char *data = NULL;
    unsigned long size = 0;
    if (!compress(&small, &data, &size))
        return error_set(err, ERROR_INTERNAL, "the thumbnail cannot be written");
    return buf_append(out, (struct bytes){data, size}, err);
}
