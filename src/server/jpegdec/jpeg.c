/* SPDX-License-Identifier: Apache-2.0 */
#include "jpegdec/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <jpeglib.h>
/* Needs the one above. */
#include <jerror.h>

#include "jpegdec/exif.h"
#include "sandbox/photo_request.h"
#include "sandbox/worker.h"

enum {
    EXIF_MARKER = JPEG_APP0 + 1,
    PROFILE_MARKER = JPEG_APP0 + 2,
    WHOLE_MARKER = 0xffff,
    EIGHTHS = 8,
};

struct reader {
    struct jpeg_error_mgr errors; /* first: libjpeg hands this out */
    struct jpeg_progress_mgr passes;
    jmp_buf back;
    bool early_end;
    struct jpeg_decompress_struct jpeg;
    uint8_t *line;
};

static void give_up(j_common_ptr jpeg)
{
    struct reader *reader = (struct reader *)jpeg->err;
    longjmp(reader->back, 1);
}

/* Grey where the rest of a photo should be is no photo. Other warnings are for nobody. */
static void on_message(j_common_ptr jpeg, int level)
{
    struct reader *reader = (struct reader *)jpeg->err;
    if (level >= 0 || jpeg->err->msg_code != JWRN_JPEG_EOF)
        return;
    reader->early_end = true;
    give_up(jpeg);
}

static bool has_profile(const struct jpeg_decompress_struct *jpeg)
{
    static const char name[] = "ICC_PROFILE";
    for (jpeg_saved_marker_ptr at = jpeg->marker_list; at; at = at->next)
        if (at->marker == PROFILE_MARKER && at->data_length >= sizeof name &&
            memcmp(at->data, name, sizeof name) == 0)
            return true;
    return false;
}

static int orientation_of(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr at = jpeg->marker_list; at; at = at->next) {
        int orientation = at->marker == EXIF_MARKER
                              ? exif_orientation((struct bytes){at->data, at->data_length})
                              : 1;
        if (orientation != 1)
            return orientation;
    }
    return 1;
}

static bool is_usual(const struct jpeg_decompress_struct *jpeg)
{
    bool colour = jpeg->num_components == 3 &&
                  (jpeg->jpeg_color_space == JCS_YCbCr || jpeg->jpeg_color_space == JCS_RGB);
    bool grey = jpeg->num_components == 1 && jpeg->jpeg_color_space == JCS_GRAYSCALE;
    return (colour || grey) && !has_profile(jpeg) &&
           (uint64_t)jpeg->image_width * jpeg->image_height <= PHOTO_MAX_PIXELS;
}

/* The most eighths of the size that still fit; somewhat less than what was asked for is fine. */
static bool scale_choose(struct jpeg_decompress_struct *jpeg, unsigned max_side)
{
    unsigned longer =
        jpeg->image_width > jpeg->image_height ? jpeg->image_width : jpeg->image_height;
    unsigned eighths = EIGHTHS;
    while (eighths > 1 && (longer * eighths + EIGHTHS - 1) / EIGHTHS > max_side)
        eighths--;
    jpeg->scale_num = eighths;
    jpeg->scale_denom = EIGHTHS;
    jpeg_calc_output_dimensions(jpeg);
    unsigned made =
        jpeg->output_width > jpeg->output_height ? jpeg->output_width : jpeg->output_height;
    return made <= max_side && (eighths == EIGHTHS || made * 10 >= max_side * 7);
}

/* How pixel (x, y) of the file finds its place: origin + x * across + y * down, in pixels. */
struct turn {
    ptrdiff_t origin, across, down;
    unsigned width, height; /* of the upright picture */
};

static struct turn turn_for(int orientation, unsigned width, unsigned height)
{
    bool lying = orientation >= 5;
    ptrdiff_t row = (ptrdiff_t)(lying ? height : width);
    ptrdiff_t right = (ptrdiff_t)width - 1, bottom = (ptrdiff_t)height - 1;
    struct turn turn = {0, 1, row, width, height};
    switch (orientation) {
    case 2:
        turn = (struct turn){right, -1, row, width, height};
        break;
    case 3:
        turn = (struct turn){bottom * row + right, -1, -row, width, height};
        break;
    case 4:
        turn = (struct turn){bottom * row, 1, -row, width, height};
        break;
    case 5:
        turn = (struct turn){0, row, 1, height, width};
        break;
    case 6:
        turn = (struct turn){bottom, row, -1, height, width};
        break;
    case 7:
        turn = (struct turn){right * row + bottom, -row, -1, height, width};
        break;
    case 8:
        turn = (struct turn){right * row, -row, 1, height, width};
        break;
    default:
        break;
    }
    return turn;
}

static void rows_read(struct reader *reader, const struct turn *turn, uint8_t *out)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    bool straight = turn->across == 1;
    while (jpeg->output_scanline < jpeg->output_height) {
        ptrdiff_t place = turn->origin + (ptrdiff_t)jpeg->output_scanline * turn->down;
        uint8_t *row = straight ? out + 3 * place : reader->line;
        if (jpeg_read_scanlines(jpeg, &row, 1) != 1)
            give_up((j_common_ptr)jpeg);
        for (unsigned x = 0; !straight && x < jpeg->output_width; x++)
            memcpy(out + 3 * (place + (ptrdiff_t)x * turn->across), row + 3 * (size_t)x, 3);
    }
}

/* All of it in one call costs a third of what the system takes to notice each page by itself. Where
 * this fails, it does just that. */
static void memory_touch(void *data, size_t size)
{
    enum { POPULATE_WRITE = 23 }; /* MADV_POPULATE_WRITE, of Linux 5.14 */
    const size_t page = 4096;
    madvise((void *)((uintptr_t)data & ~(page - 1)), size + ((uintptr_t)data & (page - 1)),
            POPULATE_WRITE);
}

/* Each pass over a large picture takes a while; nobody makes this many. */
static void pass_count(j_common_ptr common)
{
    enum { MAX_PASSES = 64 };
    if (((j_decompress_ptr)common)->input_scan_number > MAX_PASSES)
        give_up(common);
}

/* Nothing is cleaned up by scope in here: longjmp would skip it. */
static bool decode(struct reader *reader, struct bytes file, const struct jpeg_room *room,
                   struct photo_reply *reply)
{
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    if (setjmp(reader->back) != 0)
        return false;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, file.data, file.size);
    reader->passes.progress_monitor = pass_count;
    jpeg->progress = &reader->passes;
    jpeg_save_markers(jpeg, EXIF_MARKER, WHOLE_MARKER);
    jpeg_save_markers(jpeg, PROFILE_MARKER, WHOLE_MARKER);
    jpeg_read_header(jpeg, TRUE);
    if (!is_usual(jpeg) || !scale_choose(jpeg, (unsigned)room->max_side))
        return false;
    worker_allow(photo_cpu_s((int64_t)jpeg->image_width * jpeg->image_height));
    struct turn turn = turn_for(orientation_of(jpeg), jpeg->output_width, jpeg->output_height);
    if ((size_t)turn.width * turn.height * 3 > room->size)
        return false;
    jpeg->out_color_space = JCS_RGB;
    reader->line = malloc((size_t)jpeg->output_width * 3);
    if (!reader->line || !jpeg_start_decompress(jpeg))
        return false;
    memory_touch(room->data, (size_t)turn.width * turn.height * 3);
    rows_read(reader, &turn, room->data);
    *reply = (struct photo_reply){PHOTO_DECODED, turn.width, turn.height, 3, ""};
    return true;
}

bool jpeg_decode(struct bytes file, const struct jpeg_room *room, struct photo_reply *reply)
{
    struct reader reader = {.early_end = false};
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = give_up;
    reader.errors.emit_message = on_message;
    bool done = decode(&reader, file, room, reply);
    jpeg_destroy_decompress(&reader.jpeg);
    free(reader.line);
    if (done || !reader.early_end)
        return done;
    *reply = (struct photo_reply){PHOTO_TRUNCATED, 0, 0, 0, "the file ends early"};
    return true;
}

void jpeg_warm(void)
{
    struct reader reader = {.early_end = false};
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    jpeg_create_decompress(&reader.jpeg);
    jpeg_destroy_decompress(&reader.jpeg);
}
