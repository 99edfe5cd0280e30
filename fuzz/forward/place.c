/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as an address reads the same when it is written out again; hosts files and what
 * looks names up never read past their end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "forward/forward.h"
#include "forward/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(mem_free) char *text = xstrndup((const char *)data, size);
    struct forward_place place, again;
    struct forward_rule rule;
    struct resolved found[2];
    struct error err;
    char out[FORWARD_TEXT_MAX];
    if (forward_place_parse(text, &place, &err)) {
        forward_place_text(&place, out);
        assert(forward_place_parse(out, &again, &err));
        assert(again.is_path == place.is_path && strcmp(again.host, place.host) == 0 &&
               again.port == place.port);
    }
    if (!forward_rule_parse(text, false, &rule, &err))
        assert(err.text[0]);
    assert(resolve_in_hosts((struct bytes){data, size}, "db", 1, found, 2) <= 2);
    assert(resolve_in_answer((struct bytes){data, size}, 1, found, 2) <= 2);
    return 0;
}
