/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is refused or becomes lines that the front ends were made for: not empty, within the
 * limit, valid, and plain ASCII for the one that reads nothing else. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "voice/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct script *script, size_t limit, bool ascii)
{
    assert(script->count > 0);
    for (size_t i = 0; i < script->count; i++) {
        const char *text = script->lines[i].text;
        assert(*text && strlen(text) <= limit);
        assert(utf8_valid(bytes_of(text)));
        for (; *text; text++)
            assert(ascii ? *text >= ' ' && *text < 0x7f : (unsigned char)*text >= 0x80);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t limit = size > 0 && data[0] % 2 ? 1000 : 60;
    AUTO(mem_free) char *text = xstrndup((const char *)data, size);
    struct error err = {0};
    AUTO(script_dispose) struct script ja = {0};
    AUTO(script_dispose) struct script en = {0};
    if (script_ja(text, limit, NULL, &ja, &err))
        check(&ja, limit, false);
    else
        assert(err.kind == ERROR_INVALID);
    if (script_en(text, limit, &en, &err))
        check(&en, limit, true);
    else
        assert(err.kind == ERROR_INVALID);
    return 0;
}
