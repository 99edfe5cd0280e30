/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/script.h"

#include "base/mem.h"

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
