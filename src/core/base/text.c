/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

size_t utf8_decode(struct bytes input, uint32_t *out_code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (input.size == 0)
        return 0;
    uint8_t first = input.data[0];
    if (first < 0x80) {
        *out_code_point = first;
        return 1;
    }
    size_t length = (first & 0xe0) == 0xc0   ? 2
                    : (first & 0xf0) == 0xe0 ? 3
                    : (first & 0xf8) == 0xf0 ? 4
                                             : 0;
    if (length == 0 || input.size < length)
        return 0;
    uint32_t value = first & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((input.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (input.data[i] & 0x3f);
    }
    if (value < smallest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *out_code_point = value;
    return length;
}

size_t utf8_write(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000))
        return 0;
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)((0xf00U >> length) | code_point);
    return length;
}

bool utf8_valid(struct bytes input)
{
    while (input.size) {
        uint32_t code_point;
        size_t used = utf8_decode(input, &code_point);
        if (used == 0)
            return false;
        input = (struct bytes){input.data + used, input.size - used};
    }
    return true;
}

size_t utf8_count(struct bytes input)
{
    size_t count = 0;
    for (size_t i = 0; i < input.size; i++)
        count += (input.data[i] & 0xc0) != 0x80;
    return count;
}

const uint8_t *text_last(struct bytes input, char byte)
{
    for (size_t at = input.size; at > 0; at--)
        if (input.data[at - 1] == (uint8_t)byte)
            return input.data + at - 1;
    return NULL;
}

const char *text_show(struct bytes input, char *out, size_t room)
{
    size_t used = 0;
    while (input.size) {
        uint32_t code_point;
        size_t size = utf8_decode(input, &code_point);
        bool control = size && (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0));
        size_t step = size ? size : 1;
        size_t shown = size && !control ? size : 1;
        if (used + shown >= room)
            break;
        if (size && !control)
            memcpy(out + used, input.data, size);
        else
            out[used] = '?';
        used += shown;
        input = (struct bytes){input.data + step, input.size - step};
    }
    out[used] = '\0';
    return out;
}

static size_t space_at(struct bytes input)
{
    uint32_t code_point;
    size_t used = utf8_decode(input, &code_point);
    bool space = used && (code_point == ' ' || (code_point >= '\t' && code_point <= '\r') ||
                          code_point == 0xa0 || code_point == 0x3000);
    return space ? used : 0;
}

static size_t space_before_end(struct bytes input)
{
    for (size_t length = 1; length <= 3 && length <= input.size; length++)
        if (space_at((struct bytes){input.data + input.size - length, length}) == length)
            return length;
    return 0;
}

struct bytes text_trim(struct bytes input)
{
    for (size_t used; (used = space_at(input)) > 0;)
        input = (struct bytes){input.data + used, input.size - used};
    for (size_t used; (used = space_before_end(input)) > 0;)
        input.size -= used;
    return input;
}

bool text_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    if (!((*text >= '0' && *text <= '9') || *text == '-'))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool text_real(const char *text, double min, double max, double *out)
{
    if (!((*text >= '0' && *text <= '9') || *text == '-' || *text == '.') ||
        text[strspn(text, "+-.0123456789eE")])
        return false;
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || end == text || *end || !isfinite(value) || value < min || value > max)
        return false;
    *out = value;
    return true;
}

size_t text_distance(const char *a, const char *b)
{
    enum { MAX_NAME = 64 };
    size_t row[MAX_NAME + 1]; /* Levenshtein's, one row at a time */
    size_t width = strlen(b);
    if (width > MAX_NAME || strlen(a) > MAX_NAME)
        return MAX_NAME;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t change = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            size_t insert = row[j - 1] + 1, drop = row[j] + 1;
            row[j] = change < insert ? change : insert;
            row[j] = drop < row[j] ? drop : row[j];
        }
    }
    return row[width];
}
