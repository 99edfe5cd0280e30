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

void picture_dispose(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){0};
}
