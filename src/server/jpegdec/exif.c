/* SPDX-License-Identifier: Apache-2.0 */
/* A TIFF file inside a JPEG: its header says in which order bytes are, and where the first folder
 * of 12-byte entries is. */
#include "jpegdec/exif.h"

#include <string.h>

enum { ORIENTATION = 0x0112, SHORT = 3, ENTRY_SIZE = 12, UPRIGHT = 1, LAST = 8 };

struct tiff {
    struct bytes bytes;
    bool big_endian;
};

/* 0 beyond the end. */
static unsigned read_16(const struct tiff *tiff, size_t at)
{
    if (tiff->bytes.size < 2 || at > tiff->bytes.size - 2)
        return 0;
    const uint8_t *data = tiff->bytes.data + at;
    return tiff->big_endian ? (unsigned)data[0] << 8 | data[1] : (unsigned)data[1] << 8 | data[0];
}

static size_t read_32(const struct tiff *tiff, size_t at)
{
    unsigned first = read_16(tiff, at), second = read_16(tiff, at + 2);
    return tiff->big_endian ? (size_t)first << 16 | second : (size_t)second << 16 | first;
}

int exif_orientation(struct bytes block)
{
    static const uint8_t name[6] = "Exif\0";
    if (block.size < sizeof name + 8 || memcmp(block.data, name, sizeof name) != 0)
        return UPRIGHT;
    struct tiff tiff = {{block.data + sizeof name, block.size - sizeof name}, false};
    tiff.big_endian = tiff.bytes.data[0] == 'M';
    if (read_16(&tiff, 0) != (tiff.big_endian ? 0x4d4d : 0x4949) || read_16(&tiff, 2) != 42)
        return UPRIGHT;
    size_t folder = read_32(&tiff, 4);
    unsigned count = read_16(&tiff, folder);
    for (unsigned i = 0; i < count; i++) {
        size_t entry = folder + 2 + (size_t)i * ENTRY_SIZE;
        if (entry > tiff.bytes.size)
            break;
        if (read_16(&tiff, entry) != ORIENTATION || read_16(&tiff, entry + 2) != SHORT)
            continue;
        unsigned value = read_16(&tiff, entry + 8);
        return value >= UPRIGHT && value <= LAST ? (int)value : UPRIGHT;
    }
    return UPRIGHT;
}
