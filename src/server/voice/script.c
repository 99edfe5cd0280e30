/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

void script_dispose(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        free(script->lines[i].text);
    free(script->lines);
    *script = (struct script){0};
}

void script_add(struct script *script, const char *text, size_t size, bool question)
{
    if (size == 0)
        return;
    if (script->count == script->capacity) {
        script->capacity = script->capacity ? script->capacity * 2 : 8;
        script->lines = xreallocarray(script->lines, script->capacity, sizeof *script->lines);
    }
    script->lines[script->count++] =
        (struct script_line){.text = xstrndup(text, size), .question = question};
}

bool script_refuse(uint32_t letter, struct error *err)
{
    char text[5] = {0};
    if (letter == 0)
        return error_set(err, ERROR_INVALID, "there is nothing to say in the text");
    utf8_write(letter, text);
    return error_set(err, ERROR_INVALID, "this voice cannot read \"%s\" (U+%04X)", text,
                     (unsigned)letter);
}
