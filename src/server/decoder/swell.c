/* SPDX-License-Identifier: Apache-2.0 */
#include "decoder/swell.h"

#include <zlib.h>

#include "base/auto.h"

enum {
    MAX_SCANS = 64,   /* the usual progressive JPEG has 10 */
    SPARE = 64 << 10, /* bytes that some program may have added */
    WINDOW = 128 << 10,
};

struct chunk {
    const uint8_t *name;
    struct bytes content;
};

/* The chunk at *offset of a PNG, and *offset behind it. False at the end. */
static bool chunk_next(struct bytes file, size_t *offset, struct chunk *out)
{
    if (*offset > file.size || file.size - *offset < 12)
        return false;
    size_t size = read_u32(file.data + *offset);
    if (size > file.size - *offset - 12)
        return false;
    *out = (struct chunk){file.data + *offset + 4, {file.data + *offset + 8, size}};
    *offset += 12 + size;
    return true;
}

static bool is(const struct chunk *chunk, const char *name)
{
    return memcmp(chunk->name, name, 4) == 0;
}

static uint64_t rows_size(uint64_t width, uint64_t height, unsigned bits)
{
    return width && height ? height * (1 + (width * bits + 7) / 8) : 0;
}

/* What the rows take with the byte in front of each; 0 where the header makes no sense. */
static uint64_t png_size(struct bytes header)
{
    static const uint8_t channels[7] = {1, 0, 3, 1, 2, 0, 4};
    static const struct {
        uint8_t x, y, across, down;
    } passes[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                  {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    if (header.size < 13 || header.data[9] > 6 || header.data[8] > 16)
        return 0;
    uint64_t width = read_u32(header.data), height = read_u32(header.data + 4), sum = 0;
    unsigned bits = (unsigned)channels[header.data[9]] * header.data[8];
    if (width > INT32_MAX || height > INT32_MAX)
        return 0;
    if (!header.data[12])
        return rows_size(width, height, bits);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        sum += rows_size((width + passes[i].across - 1 - passes[i].x) / passes[i].across,
                         (height + passes[i].down - 1 - passes[i].y) / passes[i].down, bits);
    return sum;
}

static void stream_end_auto(z_stream *stream)
{
    inflateEnd(stream);
}

static bool png_swells(struct bytes file)
{
    size_t offset = 8;
    struct chunk chunk;
    uint8_t window[WINDOW];
    uint64_t limit = 0, made = 0;
    AUTO(stream_end) z_stream stream = {.zalloc = Z_NULL};
    if (!chunk_next(file, &offset, &chunk) || !is(&chunk, "IHDR") ||
        (limit = png_size(chunk.content)) == 0 || inflateInit(&stream) != Z_OK)
        return false; /* the decoder will say what is wrong */
    while (chunk_next(file, &offset, &chunk)) {
        if (!is(&chunk, "IDAT"))
            continue;
        stream.next_in = (Bytef *)(uintptr_t)chunk.content.data;
        stream.avail_in = (uInt)chunk.content.size;
        while (stream.avail_in > 0 || stream.avail_out == 0) {
            stream.next_out = window;
            stream.avail_out = sizeof window;
            int status = inflate(&stream, Z_NO_FLUSH);
            made += sizeof window - stream.avail_out;
            if (made > limit + SPARE)
                return true;
            if (status != Z_OK)
                break;
        }
    }
    return false;
}

static bool jpeg_swells(struct bytes file)
{
    int scans = 0;
    size_t at = 2;
    while (at + 4 <= file.size) {
        const uint8_t *next = memchr(file.data + at, 0xff, file.size - at - 3);
        if (!next)
            break;
        at = (size_t)(next - file.data);
        uint8_t marker = next[1];
        if (marker == 0xff) {
            at++;
        } else if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd8)) {
            at += 2; /* within what is packed, or without a length */
        } else if (marker == 0xd9) {
            break;
        } else {
            scans += marker == 0xda;
            at += 2 + (size_t)(next[2] << 8 | next[3]);
        }
    }
    return scans > MAX_SCANS;
}

bool photo_swells(enum photo_format format, struct bytes file)
{
    if (photo_sniff(file) != format)
        return false;
    return format == PHOTO_PNG ? png_swells(file) : format == PHOTO_JPEG && jpeg_swells(file);
}
