/* SPDX-License-Identifier: Apache-2.0 */
/* The first bytes are a filter, the rest is content: what was filtered comes back, both ways round,
 * and no more than the content is read. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "sync/filter.h"
#include "sync/guess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void comes_back(const struct filter *filter, const uint8_t *data, size_t size)
{
    AUTO(mem_free) uint8_t *in = xmalloc(size + !size);
    AUTO(mem_free) uint8_t *there = xmalloc(size + !size);
    AUTO(mem_free) uint8_t *back = xmalloc(size + !size);
    if (size)
        memcpy(in, data, size);
    filter_apply(filter, (struct bytes){in, size}, there);
    filter_undo(filter, (struct bytes){there, size}, back);
    assert(memcmp(in, back, size) == 0);
    filter_undo(filter, (struct bytes){in, size}, there);
    filter_apply(filter, (struct bytes){there, size}, back);
    assert(memcmp(in, back, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 10 };
    struct filter guessed;
    if (size < HEAD)
        return 0;
    struct filter filter = {.kind = data[0],
                            .stride = data[1],
                            .base = read_u64(data + 2),
                            .deltas = read_u64(data + 2)};
    if (filter_is_valid(&filter))
        comes_back(&filter, data + HEAD, size - HEAD);
    if (guess_filter((struct bytes){data + HEAD, size - HEAD}, filter.base, &guessed)) {
        assert(filter_is_valid(&guessed));
        comes_back(&guessed, data + HEAD, size - HEAD);
    }
    return 0;
}
