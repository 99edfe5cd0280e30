/* SPDX-License-Identifier: Apache-2.0 */
#include "decoder/sniff.h"

static bool at(struct bytes file, size_t offset, const char *what)
{
    size_t size = strlen(what);
    return offset <= file.size && size <= file.size - offset &&
           memcmp(file.data + offset, what, size) == 0;
}

/* ISO base media: the brand in `ftyp`, major or compatible. */
static bool has_brand(struct bytes file, const char *brand)
{
    if (file.size < 16 || !at(file, 4, "ftyp"))
        return false;
    uint32_t size = read_u32(file.data);
    if (size > file.size || size > 256)
        size = file.size < 256 ? (uint32_t)file.size : 256;
    for (size_t offset = 8; offset + 4 <= size; offset += 4)
        if (offset != 12 && at(file, offset, brand))
            return true;
    return false;
}

static bool is_heif(struct bytes file)
{
    static const char *const brands[] = {"heic", "heix", "heim", "heis", "mif1",
                                         "avif", "msf1", "hevc", "avis"};
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
        if (has_brand(file, brands[i]))
            return true;
    return false;
}

enum photo_format photo_sniff(struct bytes file)
{
    if (at(file, 0, "\xff\xd8\xff"))
        return PHOTO_JPEG;
    if (at(file, 0, "\x89PNG\r\n\x1a\n"))
        return PHOTO_PNG;
    if (at(file, 0, "RIFF") && at(file, 8, "WEBP"))
        return PHOTO_WEBP;
    if (file.size >= 4 &&
        (memcmp(file.data, "II*\0", 4) == 0 || memcmp(file.data, "MM\0*", 4) == 0))
        return PHOTO_TIFF;
    if (at(file, 0, "GIF87a") || at(file, 0, "GIF89a"))
        return PHOTO_GIF;
    return is_heif(file) ? PHOTO_HEIF : PHOTO_NONE;
}

/* An animated PNG has acTL before its first IDAT. */
static bool png_moves(struct bytes file)
{
    size_t offset = 8;
    while (offset + 12 <= file.size) {
        uint32_t size = read_u32(file.data + offset);
        if (at(file, offset + 4, "acTL"))
            return true;
        if (at(file, offset + 4, "IDAT") || size > file.size - offset - 12)
            return false;
        offset += 12 + (size_t)size;
    }
    return false;
}

/* Skips a GIF's sub-blocks; returns the offset behind them, or the file's size. */
static size_t gif_skip(struct bytes file, size_t offset)
{
    while (offset < file.size && file.data[offset] != 0)
        offset += 1 + (size_t)file.data[offset];
    return offset < file.size ? offset + 1 : file.size;
}

static size_t color_table(uint8_t flags)
{
    return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

static bool gif_moves(struct bytes file)
{
    if (file.size < 13)
        return false;
    size_t offset = 13 + color_table(file.data[10]);
    int frames = 0;
    while (offset < file.size) {
        if (file.data[offset] == 0x21 && offset + 2 < file.size) {
            offset = gif_skip(file, offset + 2);
        } else if (file.data[offset] == 0x2c && offset + 10 < file.size) {
            if (++frames > 1)
                return true;
            offset = gif_skip(file, offset + 11 + color_table(file.data[offset + 9]));
        } else {
            return false;
        }
    }
    return false;
}

bool photo_moves(enum photo_format format, struct bytes file)
{
    switch (format) {
    case PHOTO_PNG:
        return png_moves(file);
    case PHOTO_GIF:
        return gif_moves(file);
    case PHOTO_WEBP:
        return at(file, 12, "VP8X") && file.size > 20 && (file.data[20] & 2);
    case PHOTO_HEIF:
        return at(file, 8, "avis") || at(file, 8, "msf1") || at(file, 8, "hevc");
    default:
        return false;
    }
}

static bool png_ends_early(struct bytes file)
{
    size_t offset = 8;
    while (offset + 12 <= file.size) {
        uint32_t size = read_u32(file.data + offset);
        if (at(file, offset + 4, "IEND"))
            return false;
        if (size > file.size - offset - 12)
            return true;
        offset += 12 + (size_t)size;
    }
    return true;
}

static bool webp_ends_early(struct bytes file)
{
    uint32_t size = read_u32_little(file.data + 4);
    return size > file.size - 8;
}

static bool heif_ends_early(struct bytes file)
{
    size_t offset = 0;
    while (offset + 8 <= file.size) {
        uint32_t size = read_u32(file.data + offset);
        if (size < 8) /* 0: to the end; 1: a length of 64 bits, as no photo has */
            return false;
        if (size > file.size - offset)
            return true;
        offset += size;
    }
    return false;
}

bool photo_ends_early(enum photo_format format, struct bytes file)
{
    if (photo_sniff(file) != format)
        return false;
    switch (format) {
    case PHOTO_PNG:
        return png_ends_early(file);
    case PHOTO_WEBP:
        return webp_ends_early(file);
    case PHOTO_HEIF:
        return heif_ends_early(file);
    default:
        return false;
    }
}
