/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a model: refused with a reason, or names of files that stand beside it. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "image/external.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {.text = ""};
    AUTO(external_dispose) struct external external = {.count = 0};
    if (!external_find((struct bytes){data, size}, &external, &err)) {
        assert(err.text[0] && external.count == 0);
        return 0;
    }
    assert(external.count >= 0 && external.count <= EXTERNAL_FILES);
    for (int i = 0; i < external.count; i++)
        assert(external.names[i][0] && external.names[i][0] != '.' &&
               !strchr(external.names[i], '/'));
    return 0;
}
