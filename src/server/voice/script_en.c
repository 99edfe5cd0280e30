/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

bool script_en(const char *text, size_t limit_bytes, struct script *out, struct error *err)
{
    AUTO(mem_free) char *room = xmalloc(limit_bytes + 1);
    size_t size = 0;
    bool spoken = false;
    struct bytes rest = bytes_of(text);
    while (rest.size > 0) {
        uint32_t c;
        size_t used = utf8_decode(rest, &c);
        if (used == 0)
            return error_set(err, ERROR_INVALID, "the text is not UTF-8");
        rest = (struct bytes){rest.data + used, rest.size - used};
        if (c == 0x2019)
            c = '\'';
        if (c > 0x7e || c < ' ')
            c = ' ';
        room[size++] = (char)c;
        spoken |= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool end = (c == '.' || c == '!' || c == '?') && (rest.size == 0 || *rest.data <= ' ');
        if (!end && size < limit_bytes && rest.size > 0)
            continue;
        if (spoken)
            script_add(out, room, size, c == '?');
        size = 0;
        spoken = false;
    }
    return out->count > 0 || error_set(err, ERROR_INVALID, "nothing to say");
}
