/* SPDX-License-Identifier: Apache-2.0 */
#include "api/video_name.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

enum { MAX_CHARACTERS = 40 };

static bool is_space(uint32_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xa0) || (c >= 0x2000 && c <= 0x200b) || c == 0x2028 ||
           c == 0x2029 || c == 0x3000;
}

/* What some system forbids in names, and what shows one name and is another. */
static bool is_left_out(uint32_t c)
{
    return (c < 0x80 && strchr("/\\:*?\"<>|", (int)c)) || c == 0x200e || c == 0x200f ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff0 && c <= 0xffff) || (c >= 0xe000 && c <= 0xf8ff);
}

/* The beginning of the text, of one line; out has room for 4 bytes a character. */
static void beginning(const char *text, char out[4 * MAX_CHARACTERS + 1])
{
    struct bytes rest = bytes_of(text);
    size_t size = 0, count = 0;
    while (rest.size && count < MAX_CHARACTERS) {
        uint32_t c;
        size_t used = utf8_decode(rest, &c);
        if (used == 0)
            break;
        rest = (struct bytes){rest.data + used, rest.size - used};
        bool space = is_space(c);
        if (is_left_out(c) || (space && (size == 0 || out[size - 1] == ' ')))
            continue;
        size += utf8_write(space ? ' ' : c, out + size);
        count++;
    }
    while (size && (out[size - 1] == ' ' || out[size - 1] == '.'))
        size--;
    out[size] = '\0';
}

char *video_name(const char *text, int64_t made_ms, const char *ending)
{
    char day[sizeof "2026-11-23"], words[4 * MAX_CHARACTERS + 1];
    time_t seconds = (time_t)(made_ms / 1000);
    struct tm local;
    /* The day comes first: such names sort, and none is a reserved one like "con". */
    if (!localtime_r(&seconds, &local) || strftime(day, sizeof day, "%Y-%m-%d", &local) == 0)
        snprintf(day, sizeof day, "message");
    beginning(text, words);
    return xasprintf("%s%s%s%s", day, words[0] ? " " : "", words, ending);
}
