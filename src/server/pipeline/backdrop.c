/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/backdrop_internal.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/portrait.h"
#include "media/scale.h"
#include "pipeline/pipeline_internal.h"

static struct picture plain(int width, int height, const uint8_t color[3])
{
    struct picture out = picture_new(width, height, PICTURE_RGB);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                picture_row(&out, y)[3 * x + c] = color[c];
    return out;
}

/* Paper shows where an uploaded picture is transparent. */
static struct picture opaque(const struct picture *picture)
{
    struct picture out = picture_new(picture->width, picture->height, PICTURE_RGB);
    for (int y = 0; y < picture->height; y++) {
        const uint8_t *from = picture_row(picture, y);
        uint8_t *to = picture_row(&out, y);
        for (int x = 0; x < picture->width; x++, from += picture->channels, to += 3) {
            unsigned alpha = picture->channels == PICTURE_RGBA ? from[3] : 255;
            for (int c = 0; c < 3; c++) {
                unsigned value = from[picture->channels == PICTURE_GREY ? 0 : c];
                to[c] = (uint8_t)((value * alpha + 255 * (255 - alpha) + 127) / 255);
            }
        }
    }
    return out;
}

static bool from_file(struct pipeline *pipeline, const char *path, const struct order *order,
                      struct picture *out, struct error *err)
{
    AUTO(picture_dispose) struct picture file = {0};
    const struct format *format = order->format;
    if (!pipeline_decode_enter(pipeline, err))
        return false;
    bool fine = vision_decode(pipeline->options.vision, path,
                              2 * (format->width > format->height ? format->width : format->height),
                              &file, err);
    pipeline_decode_leave(pipeline);
    if (!fine) {
        if (err && err->field) /* the decoder speaks of "image" */
            err->field = order->backdrop == BACKDROP_UPLOAD ? "background_image" : "background";
        return false;
    }
    AUTO(picture_dispose) struct picture cover =
        picture_cover(&file, format->width, format->height);
    *out = opaque(&cover);
    return true;
}

/* The photo's own background, blurred. The person is left out of the average, so that no halo of
 * their colours surrounds them: colour × weight is blurred, and divided by the blurred weight. */
static struct picture blurred(const struct portrait *portrait)
{
    enum { SHRINK = 4 };
    int width = portrait->photo.width, height = portrait->photo.height;
    AUTO(picture_dispose)
    struct picture small = picture_cover(&portrait->photo, width / SHRINK, height / SHRINK);
    AUTO(picture_dispose)
    struct picture matte = picture_cover(&portrait->matte, width / SHRINK, height / SHRINK);
    AUTO(picture_dispose) struct picture sum = picture_new(small.width, small.height, PICTURE_RGBA);
    for (int y = 0; y < small.height; y++)
        for (int x = 0; x < small.width; x++) {
            /* Soft edges count as person; everywhere counts a little, so nothing divides by 0. */
            unsigned person = picture_row(&matte, y)[x];
            unsigned weight = person > 127 ? 2 : 255 - 2 * person > 2 ? 255 - 2 * person : 2;
            uint8_t *to = picture_row(&sum, y) + 4 * x;
            for (int c = 0; c < 3; c++)
                to[c] = (uint8_t)((picture_row(&small, y)[3 * x + c] * weight + 127) / 255);
            to[3] = (uint8_t)weight;
        }
    picture_blur(&sum, (width < height ? width : height) / SHRINK / 24 + 1);
    for (int y = 0; y < small.height; y++)
        for (int x = 0; x < small.width; x++) {
            const uint8_t *from = picture_row(&sum, y) + 4 * x;
            for (int c = 0; c < 3; c++) {
                unsigned value = from[3] ? (from[c] * 255U + from[3] / 2U) / from[3] : 0;
                picture_row(&small, y)[3 * x + c] = (uint8_t)(value > 255 ? 255 : value);
            }
        }
    /* Where only the person was, little is known: smooth once more. */
    picture_blur(&small, 4);
    return picture_cover(&small, width, height);
}

bool backdrop_make(struct pipeline *pipeline, const struct order *order,
                   const struct places *places, const struct portrait *portrait,
                   struct picture *out, struct error *err)
{
    AUTO(mem_free) char *preset = NULL;
    switch (order->backdrop) {
    case BACKDROP_KEEP:
        return true;
    case BACKDROP_BLUR:
        *out = blurred(portrait);
        return true;
    case BACKDROP_COLOR:
        *out = plain(order->format->width, order->format->height, order->color);
        return true;
    case BACKDROP_PRESET:
        preset = pipeline_background_path(pipeline, order->preset, order->format);
        return preset ? from_file(pipeline, preset, order, out, err)
                      : error_set(err, ERROR_NOT_FOUND, "the built-in pictures are not installed");
    case BACKDROP_UPLOAD:
        return from_file(pipeline, places->background_path, order, out, err);
    }
    return error_set(err, ERROR_INTERNAL, "unknown background");
}
