/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include "base/buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(struct bytes bytes, struct buf *out, struct error *err)
{
    size_t size = (bytes.size + 2) / 3 * 4;
    uint8_t *to = buf_reserve(out, size, err);
    if (!to)
        return false;
    for (size_t i = 0; i < bytes.size; i += 3, to += 4) {
        size_t left = bytes.size - i;
        unsigned second = left > 1 ? bytes.data[i + 1] : 0,
                 third = left > 2 ? bytes.data[i + 2] : 0;
        unsigned group = (unsigned)bytes.data[i] << 16 | second << 8 | third;
        to[0] = (uint8_t)digits[group >> 18];
        to[1] = (uint8_t)digits[group >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)digits[group >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)digits[group & 63] : '=';
    }
    buf_commit(out, size);
    return true;
}
