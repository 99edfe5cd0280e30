/* SPDX-License-Identifier: Apache-2.0 */
/* A PNG is a signature and chunks: length, four letters, content, checksum. The pixels, each row
 * behind the number of its filter, are one zlib stream. libdeflate makes that twice as fast as
 * zlib does, but only of bytes that are all there. */
#include <libdeflate.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "codec/png_internal.h"
#include "media/hot.h"
#include "media/picture.h"

enum {
    SMALL = 16 * 1024 * 1024, /* bytes of pixels */
    LEVEL = 1,                /* the next ones gain little and take twice the time */
    DEPTH = 8,
    FILTER_SUB = 1,
    HEADER_SIZE = 13,
    AROUND = 12, /* bytes of a chunk that are not its content */
    PERCEPTUAL = 0,
    HEADERS = 128, /* all chunks but the pixels, and what is around these */
    EXTRA = 4096,  /* more than everything that is not pixels takes */
};

static void compressor_free_auto(struct libdeflate_compressor **compressor)
{
    libdeflate_free_compressor(*compressor);
}

static size_t row_bytes(const struct picture *picture)
{
    return (size_t)picture->width * (size_t)picture->channels;
}

static size_t raw_bytes(const struct picture *picture)
{
    return (row_bytes(picture) + 1) * (size_t)picture->height;
}

bool png_is_small(const struct picture *picture, const struct buf *out)
{
    size_t size = raw_bytes(picture), room = out->limit - out->size;
    return size <= SMALL && size + size / 64 + EXTRA <= room;
}

/* Each byte less the one a pixel before it. */
HOT static void filter_row(const uint8_t *restrict row, uint8_t *restrict out, size_t size,
                           size_t pixel)
{
    for (size_t i = 0; i < pixel && i < size; i++)
        out[i] = row[i];
    for (size_t i = pixel; i < size; i++)
        out[i] = (uint8_t)(row[i] - row[i - pixel]);
}

static uint8_t *filtered(const struct picture *picture)
{
    size_t size = row_bytes(picture);
    uint8_t *raw = xmalloc(raw_bytes(picture)), *at = raw;
    for (int y = 0; y < picture->height; y++, at += size) {
        *at++ = FILTER_SUB;
        filter_row(picture_row(picture, y), at, size, (size_t)picture->channels);
    }
    return raw;
}

/* Puts length, name and checksum around `size` bytes at chunk + 8; returns the whole chunk's size.
 */
static size_t chunk_close(uint8_t *chunk, const char *name, size_t size)
{
    write_u32(chunk, (uint32_t)size);
    memcpy(chunk + 4, name, 4);
    write_u32(chunk + 8 + size, libdeflate_crc32(0, chunk + 4, size + 4));
    return size + AROUND;
}

static size_t header_write(const struct picture *picture, uint8_t *out)
{
    static const uint8_t signature[8] = "\x89PNG\r\n\x1a\n";
    static const uint8_t colours[] = {[PICTURE_GREY] = 0, [PICTURE_RGB] = 2, [PICTURE_RGBA] = 6};
    memcpy(out, signature, sizeof signature);
    uint8_t *chunk = out + sizeof signature, *at = chunk + 8;
    memset(at, 0, HEADER_SIZE);
    write_u32(at, (uint32_t)picture->width);
    write_u32(at + 4, (uint32_t)picture->height);
    at[8] = DEPTH;
    at[9] = colours[picture->channels];
    chunk += chunk_close(chunk, "IHDR", HEADER_SIZE);
    chunk[8] = PERCEPTUAL;
    chunk += chunk_close(chunk, "sRGB", 1);
    return (size_t)(chunk - out);
}

bool png_write_small(const struct picture *picture, struct buf *out, struct error *err)
{
    AUTO(compressor_free)
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    if (!compressor)
        return error_set(err, ERROR_LIMIT, "no memory to compress a PNG");
    AUTO(mem_free) uint8_t *raw = filtered(picture);
    size_t size = raw_bytes(picture), most = libdeflate_zlib_compress_bound(compressor, size);
    uint8_t *at = buf_reserve(out, most + HEADERS, err);
    if (!at)
        return error_wrap(err, "write a PNG");
    size_t used = header_write(picture, at);
    size_t packed = libdeflate_zlib_compress(compressor, raw, size, at + used + 8, most);
    used += chunk_close(at + used, "IDAT", packed);
    used += chunk_close(at + used, "IEND", 0);
    buf_commit(out, used);
    return true;
}
