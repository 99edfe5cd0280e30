/* SPDX-License-Identifier: Apache-2.0 */
#include "video/frame420.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, SHIFT = 16, HALF = 1 << (SHIFT - 1) };

/* BT.709: luma = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), chroma 128 ± 112, in 1/65536 for
 * 0..255. */
#define SCALED(value) ((int)((value)*65536 + ((value) < 0 ? -0.5 : 0.5)))
enum {
    YR = SCALED(0.2126 * 219 / 255),
    YG = SCALED(0.7152 * 219 / 255),
    YB = SCALED(0.0722 * 219 / 255),
    UR = SCALED(-0.2126 / 1.8556 * 224 / 255),
    UG = SCALED(-0.7152 / 1.8556 * 224 / 255),
    UB = SCALED(0.5 * 224 / 255),
    VR = SCALED(0.5 * 224 / 255),
    VG = SCALED(-0.7152 / 1.5748 * 224 / 255),
    VB = SCALED(-0.0722 / 1.5748 * 224 / 255),
    Y_TO_RGB = SCALED(255.0 / 219),
    V_TO_R = SCALED(1.5748 * 255 / 224),
    U_TO_G = SCALED(-1.8556 * 0.0722 / 0.7152 * 255 / 224),
    V_TO_G = SCALED(-1.5748 * 0.2126 / 0.7152 * 255 / 224),
    U_TO_B = SCALED(1.8556 * 255 / 224),
};

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

struct frame420 frame420_new(int width, int height)
{
    size_t luma = round_up((size_t)width), chroma = round_up((size_t)width / 2);
    size_t rows = (size_t)height;
    uint8_t *block = aligned_alloc(ALIGNMENT, luma * rows + chroma * rows);
    if (!block)
        abort();
    uint8_t *blue = block + luma * rows;
    return (struct frame420){
        .width = width,
        .height = height,
        .planes = {block, blue, blue + chroma * (rows / 2)},
        .strides = {(int)luma, (int)chroma, (int)chroma},
    };
}

void frame420_dispose(struct frame420 *frame)
{
    free(frame->planes[0]);
    *frame = (struct frame420){0};
}

void frame420_copy_rows(const struct frame420 *from, int top, int rows, struct frame420 *to)
{
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0;
        size_t width = (size_t)(from->width >> shift);
        for (int y = top >> shift; y < (top + rows) >> shift; y++)
            memcpy(to->planes[plane] + (ptrdiff_t)y * to->strides[plane],
                   from->planes[plane] + (ptrdiff_t)y * from->strides[plane], width);
    }
}

void frame420_copy(const struct frame420 *from, struct frame420 *to)
{
    frame420_copy_rows(from, 0, from->height, to);
}

static void luma_row(const uint8_t *rgb, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++)
        out[x] = (uint8_t)(((rgb[3 * x] * YR + rgb[3 * x + 1] * YG + rgb[3 * x + 2] * YB + HALF) >>
                            SHIFT) +
                           16);
}

/* Two rows of the picture become one of chroma: 1 2 1 across, centred on the even column. */
static void chroma_row(const uint8_t *upper, const uint8_t *lower, int width, uint8_t *blue,
                       uint8_t *red)
{
    for (int x = 0; x < width / 2; x++) {
        int left = x > 0 ? 6 * x - 3 : 0, middle = 6 * x, right = 6 * x + 3;
        int sum[3];
        for (int c = 0; c < 3; c++)
            sum[c] = upper[left + c] + lower[left + c] +
                     2 * (upper[middle + c] + lower[middle + c]) + upper[right + c] +
                     lower[right + c];
        enum { ROUND = (128 << (SHIFT + 3)) + (1 << (SHIFT + 2)) };
        blue[x] = (uint8_t)((sum[0] * UR + sum[1] * UG + sum[2] * UB + ROUND) >> (SHIFT + 3));
        red[x] = (uint8_t)((sum[0] * VR + sum[1] * VG + sum[2] * VB + ROUND) >> (SHIFT + 3));
    }
}

void frame420_from_picture(const struct picture *picture, struct frame420 *out)
{
    for (int y = 0; y < out->height; y++)
        luma_row(picture_row(picture, y), out->width,
                 out->planes[0] + (ptrdiff_t)y * out->strides[0]);
    for (int y = 0; y < out->height / 2; y++)
        chroma_row(picture_row(picture, 2 * y), picture_row(picture, 2 * y + 1), out->width,
                   out->planes[1] + (ptrdiff_t)y * out->strides[1],
                   out->planes[2] + (ptrdiff_t)y * out->strides[2]);
}

static uint8_t to_byte(int value)
{
    value = (value + HALF) >> SHIFT;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void frame420_to_picture(const struct frame420 *frame, struct picture *out)
{
    for (int y = 0; y < frame->height; y++) {
        const uint8_t *luma = frame->planes[0] + (ptrdiff_t)y * frame->strides[0];
        const uint8_t *blue = frame->planes[1] + (ptrdiff_t)(y / 2) * frame->strides[1];
        const uint8_t *red = frame->planes[2] + (ptrdiff_t)(y / 2) * frame->strides[2];
        uint8_t *rgb = picture_row(out, y);
        int last = frame->width / 2 - 1;
        for (int x = 0; x < frame->width; x++) {
            int here = x / 2, next = here + (x & 1 && here < last);
            int bright = (luma[x] - 16) * Y_TO_RGB;
            int u = (blue[here] + blue[next]) / 2 - 128, v = (red[here] + red[next]) / 2 - 128;
            rgb[3 * x] = to_byte(bright + v * V_TO_R);
            rgb[3 * x + 1] = to_byte(bright + u * U_TO_G + v * V_TO_G);
            rgb[3 * x + 2] = to_byte(bright + u * U_TO_B);
        }
    }
}
