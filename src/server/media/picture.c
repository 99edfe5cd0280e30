/* SPDX-License-Identifier: Apache-2.0 */
#include "media/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ALIGNMENT = 64 };

struct picture picture_new(int width, int height, int channels)
{
    size_t stride = ((size_t)width * (size_t)channels + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    size_t size = stride * (size_t)height;
    uint8_t *pixels = aligned_alloc(ALIGNMENT, size ? size : ALIGNMENT);
    if (!pixels)
        abort();
    return (struct picture){
        .width = width, .height = height, .channels = channels, .stride = stride, .pixels = pixels};
}

struct picture picture_copy(const struct picture *picture)
{
    struct picture copy = picture_new(picture->width, picture->height, picture->channels);
    for (int y = 0; y < picture->height; y++)
        memcpy(picture_row(&copy, y), picture_row(picture, y),
               (size_t)picture->width * (size_t)picture->channels);
    return copy;
}

static void pixel_on_white(const uint8_t *from, int channels, uint8_t *to)
{
    for (int c = 0; c < 3; c++) {
        unsigned value = from[channels == PICTURE_GREY ? 0 : c];
        if (channels == PICTURE_RGBA)
            value = (value * from[3] + 255U * (255U - from[3]) + 127) / 255;
        to[c] = (uint8_t)value;
    }
}

struct picture picture_on_white(const struct picture *picture)
{
    struct picture plain = picture_new(picture->width, picture->height, PICTURE_RGB);
    int channels = picture->channels;
    for (int y = 0; y < picture->height; y++)
        for (int x = 0; x < picture->width; x++)
            pixel_on_white(picture_row(picture, y) + (size_t)x * (size_t)channels, channels,
                           picture_row(&plain, y) + (size_t)x * 3);
    return plain;
}

void picture_dispose(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){0};
}
