/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

struct lines {
    struct script *script;
    size_t limit_bytes;
    char *text; /* room for limit_bytes */
    size_t size;
    bool spoken; /* more than punctuation so far */
};

static void line_end(struct lines *lines, bool question)
{
    if (lines->spoken)
        script_add(lines->script, lines->text, lines->size, question);
    lines->size = 0;
    lines->spoken = false;
}

static uint32_t full_width(uint32_t c)
{
    if (c == ' ' || c == '\t')
        return 0x3000;
    return c > ' ' && c < 0x7f ? c + 0xfee0 : c;
}

static bool ends_sentence(uint32_t c)
{
    return c == 0x3002 || c == 0xff01 || c == 0xff1f || c == '\n' || c == 0xff0e || c == 0xff61;
}

static bool punctuation(uint32_t c)
{
    return c == 0x3000 || (c >= 0x3001 && c <= 0x301f) || (c >= 0xff01 && c <= 0xff0f) ||
           (c >= 0xff1a && c <= 0xff20);
}

bool script_ja(const char *text, size_t limit_bytes, struct script *out, struct error *err)
{
    AUTO(mem_free) char *room = xmalloc(limit_bytes + 4);
    struct lines lines = {.script = out, .limit_bytes = limit_bytes, .text = room};
    struct bytes rest = bytes_of(text);
    while (rest.size > 0) {
        uint32_t c;
        size_t used = utf8_decode(rest, &c);
        if (used == 0)
            return error_set(err, ERROR_INVALID, "the text is not UTF-8");
        rest = (struct bytes){rest.data + used, rest.size - used};
        c = full_width(c);
        if (c < ' ' && c != '\n')
            continue;
        if (c != '\n') {
            if (lines.size + 4 > limit_bytes)
                line_end(&lines, false);
            lines.size += utf8_write(c, lines.text + lines.size);
            lines.spoken |= !punctuation(c);
        }
        if (ends_sentence(c))
            line_end(&lines, c == 0xff1f);
    }
    line_end(&lines, false);
    return out->count > 0 || error_set(err, ERROR_INVALID, "nothing to say");
}
