/* SPDX-License-Identifier: Apache-2.0 */
/* One load operation per format is named here, so that none of libvips' other readers (SVG, PDF,
 * ImageMagick, …) can ever be reached by a file. */
#include "decoder/decode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vips/vips.h>
/* Needs the one above. */
#include <vips/vector.h>

#include "base/auto.h"
#include "decoder/sniff.h"
#include "decoder/swell.h"
#include "sandbox/photo_request.h"
#include "sandbox/worker.h"

/* Pixels from which a picture has so much time that it is looked at what it does with it. */
enum { LARGE = 4 * 1000 * 1000 };

static void image_unref_auto(VipsImage *const *image)
{
    if (*image)
        g_object_unref(*image);
}

static void pixels_free_auto(uint8_t *const *pixels)
{
    g_free(*pixels);
}

typedef VipsImage *loader(struct bytes file, int shrink);

static VipsImage *load_jpeg(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    vips_jpegload_buffer((void *)(uintptr_t)file.data, file.size, &out, "shrink", shrink, "access",
                         VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static VipsImage *load_png(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    (void)shrink;
    vips_pngload_buffer((void *)(uintptr_t)file.data, file.size, &out, "access",
                        VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static VipsImage *load_webp(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    vips_webpload_buffer((void *)(uintptr_t)file.data, file.size, &out, "scale", 1.0 / shrink,
                         "access", VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static VipsImage *load_heif(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    (void)shrink;
    vips_heifload_buffer((void *)(uintptr_t)file.data, file.size, &out, "access",
                         VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static VipsImage *load_tiff(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    (void)shrink;
    vips_tiffload_buffer((void *)(uintptr_t)file.data, file.size, &out, "access",
                         VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static VipsImage *load_gif(struct bytes file, int shrink)
{
    VipsImage *out = NULL;
    (void)shrink;
    vips_gifload_buffer((void *)(uintptr_t)file.data, file.size, &out, "access",
                        VIPS_ACCESS_SEQUENTIAL, "fail-on", VIPS_FAIL_ON_TRUNCATED, NULL);
    return out;
}

static const struct {
    loader *load;
    int max_shrink; /* what the format's own decoder can do while it decodes */
} formats[] = {
    [PHOTO_JPEG] = {load_jpeg, 8}, [PHOTO_PNG] = {load_png, 1},   [PHOTO_WEBP] = {load_webp, 64},
    [PHOTO_HEIF] = {load_heif, 1}, [PHOTO_TIFF] = {load_tiff, 1}, [PHOTO_GIF] = {load_gif, 1},
};

bool decode_prepare(const char *program)
{
    if (vips_init(program) != 0)
        return false;
    /* A worker decodes one picture: there is nothing to cache and no second core to take. */
    vips_cache_set_max(0);
    vips_concurrency_set(1);
    vips_vector_set_enabled(FALSE); /* it would make machine code, which a worker must not */
    return true;
}

/* *next takes the place of *image, unless the operation failed. Passed by address, since it may be
 * read before the operation that fills it is called. */
static bool step(VipsImage **image, int failed, VipsImage **next)
{
    if (failed)
        return false;
    g_object_unref(*image);
    *image = *next;
    return true;
}

/* The largest shrink that leaves about `max_side` pixels: somewhat less is fine, since decoding at
 * full size and scaling afterwards takes five times as long. */
static int shrink_for(int side, int max_side, int max_shrink)
{
    int shrink = 1;
    while (shrink * 2 <= max_shrink && side / (shrink * 2) >= max_side * 7 / 10)
        shrink *= 2;
    return shrink;
}

static bool scale_down(VipsImage **image, int max_side)
{
    VipsImage *next = NULL;
    if (vips_image_get_width(*image) <= max_side && vips_image_get_height(*image) <= max_side)
        return true;
    return step(image,
                vips_thumbnail_image(*image, &next, max_side, "height", max_side, "size",
                                     VIPS_SIZE_DOWN, "no-rotate", TRUE, NULL),
                &next);
}

/* Profiles that are broken or do not fit the picture are ignored, as browsers do. */
static void apply_profile(VipsImage **image)
{
    VipsImage *next = NULL;
    if (!vips_image_get_typeof(*image, VIPS_META_ICC_NAME))
        return;
    if (step(image,
             vips_icc_transform(*image, &next, "srgb", "embedded", TRUE, "intent",
                                VIPS_INTENT_PERCEPTUAL, "depth", 8, NULL),
             &next))
        return;
    vips_error_clear();
}

/* From whatever it is to 8-bit sRGB with three bands, or four where there is alpha. */
static bool to_srgb(VipsImage **image)
{
    VipsImage *next = NULL;
    apply_profile(image);
    if (!step(image, vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, NULL), &next))
        return false;
    int bands = vips_image_get_bands(*image);
    if (bands > 4 && !step(image, vips_extract_band(*image, &next, 0, "n", 4, NULL), &next))
        return false;
    return step(image, vips_cast(*image, &next, VIPS_FORMAT_UCHAR, NULL), &next);
}

static void answer(struct photo_reply *reply, enum photo_outcome outcome, const char *text)
{
    reply->outcome = outcome;
    snprintf(reply->text, sizeof reply->text, "%s", text);
    reply->text[strcspn(reply->text, "\r\n")] = '\0';
}

static void answer_vips(struct photo_reply *reply)
{
    static const char *const early_end[] = {
        "premature end",   "truncated",   "end of stream",  "end of file", "out of data",
        "not enough data", "Read Error",  "unexpected end", "EOF",         "read error",
        "bad seek",        "end-of-file", "Invalid input"};
    const char *text = vips_error_buffer();
    enum photo_outcome outcome = PHOTO_BROKEN;
    for (size_t i = 0; i < sizeof early_end / sizeof *early_end; i++)
        if (strcasestr(text, early_end[i]))
            outcome = PHOTO_TRUNCATED;
    answer(reply, outcome, text);
}

/* Alpha that hides nothing is dropped. */
static bool alpha_needed(const uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pixels[4 * i + 3] != 255)
            return true;
    return false;
}

static void pixels_write(VipsImage *image, uint8_t *shared, size_t shared_bytes,
                         struct photo_reply *reply)
{
    size_t size = 0;
    AUTO(pixels_free) uint8_t *pixels = vips_image_write_to_memory(image, &size);
    if (!pixels) {
        answer_vips(reply);
        return;
    }
    size_t count = (size_t)vips_image_get_width(image) * (size_t)vips_image_get_height(image);
    size_t channels = size / count;
    if (size > shared_bytes || channels < 3 || channels > 4) {
        answer(reply, PHOTO_BROKEN, "unexpected size");
        return;
    }
    bool keep = channels == 3 || alpha_needed(pixels, count);
    for (size_t i = 0; !keep && i < count; i++)
        memcpy(shared + 3 * i, pixels + 4 * i, 3);
    if (keep)
        memcpy(shared, pixels, size);
    reply->width = (uint32_t)vips_image_get_width(image);
    reply->height = (uint32_t)vips_image_get_height(image);
    reply->channels = keep ? (uint32_t)channels : 3;
    answer(reply, PHOTO_DECODED, "");
}

static void decode_loaded(VipsImage **image, const struct photo_request *request, uint8_t *shared,
                          size_t shared_bytes, struct photo_reply *reply)
{
    VipsImage *next = NULL;
    /* The reader gives rows once and in order; turning needs them all, so they are kept after
     * they became few. */
    bool done = scale_down(image, (int)request->max_side);
    done = done && (next = vips_image_copy_memory(*image)) && step(image, 0, &next);
    done = done && step(image, vips_autorot(*image, &next, NULL), &next);
    done = done && to_srgb(image);
    if (done)
        pixels_write(*image, shared, shared_bytes, reply);
    else
        answer_vips(reply);
}

static void decode_bytes(struct bytes file, const struct photo_request *request, uint8_t *shared,
                         size_t shared_bytes, struct photo_reply *reply)
{
    enum photo_format format = photo_sniff(file);
    if (format == PHOTO_NONE) {
        answer(reply, PHOTO_UNKNOWN,
               "not a picture that can be opened (JPEG, PNG, WebP, HEIC and others can)");
        return;
    }
    if (photo_moves(format, file)) {
        answer(reply, PHOTO_ANIMATED, "more than one frame");
        return;
    }
    AUTO(image_unref) VipsImage *image = formats[format].load(file, 1);
    if (!image) {
        answer_vips(reply);
        return;
    }
    int width = vips_image_get_width(image), height = vips_image_get_height(image);
    if ((int64_t)width * height > PHOTO_MAX_PIXELS) {
        answer(reply, PHOTO_HUGE, "");
        snprintf(reply->text, sizeof reply->text, "%d x %d pixels", width, height);
        return;
    }
    worker_allow(photo_cpu_s((int64_t)width * height));
    if ((int64_t)width * height > LARGE && photo_swells(format, file)) {
        answer(reply, PHOTO_TRUNCATED, "it holds more than it shows");
        return;
    }
    int shrink = shrink_for(width > height ? width : height, (int)request->max_side,
                            formats[format].max_shrink);
    VipsImage *smaller = shrink > 1 ? formats[format].load(file, shrink) : NULL;
    if (smaller)
        step(&image, 0, &smaller);
    decode_loaded(&image, request, shared, shared_bytes, reply);
}

static bool read_all(int file, uint8_t *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t got = pread(file, data + have, size - have, (off_t)have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

void decode_photo(int file, const struct photo_request *request, uint8_t *shared,
                  size_t shared_bytes, struct photo_reply *reply)
{
    off_t size = lseek(file, 0, SEEK_END);
    AUTO(mem_free) uint8_t *data =
        size > 0 && size <= PHOTO_MAX_BYTES ? malloc((size_t)size) : NULL;
    if (!data || !read_all(file, data, (size_t)size)) {
        answer(reply, PHOTO_BROKEN, "cannot be read");
        return;
    }
    struct bytes bytes = {data, (size_t)size};
    decode_bytes(bytes, request, shared, shared_bytes, reply);
    if (reply->outcome == PHOTO_BROKEN && photo_ends_early(photo_sniff(bytes), bytes))
        reply->outcome = PHOTO_TRUNCATED;
}
