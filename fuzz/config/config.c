/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is a configuration or an error that names a line. */
#include <assert.h>

#include "base/error.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct config *config = config_parse((struct bytes){data, size}, "vma.yaml", &err);
    if (config)
        assert(config->keep_ms >= 0);
    else
        assert(err.text[0]);
    config_free(config);
    return 0;
}
