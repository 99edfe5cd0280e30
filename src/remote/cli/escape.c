/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/escape.h"

size_t escape_read(struct escape *escape, const uint8_t *typed, size_t size, uint8_t *out,
                   enum escape_found *out_found)
{
    size_t sent = 0;
    *out_found = ESCAPE_NONE;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = typed[i];
        bool held = escape->held;
        escape->held = !held && !escape->within_line && byte == '~';
        if (escape->held)
            continue;
        if (held && byte == '.') {
            *out_found = ESCAPE_LEAVE;
            return sent;
        }
        if (held && byte == '?') { /* and the line still begins */
            *out_found = ESCAPE_HELP;
            continue;
        }
        if (held && byte != '~')
            out[sent++] = '~';
        out[sent++] = byte;
        escape->within_line = byte != '\r' && byte != '\n';
    }
    return sent;
}
