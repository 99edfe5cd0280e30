/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wrap.h"

#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

enum { WIDTH = 80 };

bool wrap_put(struct buf *out, const char *text, size_t column, size_t indent, struct error *err)
{
    bool first = true; /* word of its line */
    while (*text) {
        size_t length = strcspn(text, " \n");
        size_t width = utf8_count((struct bytes){(const uint8_t *)text, length});
        if (!first && column + 1 + width > WIDTH) {
            if (!buf_printf(out, err, "\n%*s", (int)indent, ""))
                return false;
            column = indent;
            first = true;
        }
        if (!buf_printf(out, err, "%s%.*s", first ? "" : " ", (int)length, text))
            return false;
        column += !first + width;
        first = false;
        for (text += length; *text == ' ' || *text == '\n'; text++) {
            if (*text == ' ')
                continue;
            /* spaces only where a word follows */
            if (!buf_printf(out, err, "\n%*s", text[1] && text[1] != '\n' ? (int)indent : 0, ""))
                return false;
            column = indent;
            first = true;
        }
    }
    return true;
}
