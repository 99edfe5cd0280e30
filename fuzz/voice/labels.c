/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever open_jtalk prints: refused, or labels without line ends, no more than were there. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "voice/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    AUTO(mem_free) char *trace = xstrndup((const char *)data, size);
    AUTO(labels_dispose) struct labels labels = {0};
    if (!labels_parse(trace, &labels, &err))
        return 0;
    assert(labels.count >= 3 && labels.count <= size);
    for (size_t i = 0; i < labels.count; i++)
        assert(!strchr(labels.lines[i], '\n') && strlen(labels.lines[i]) <= size);
    return 0;
}
