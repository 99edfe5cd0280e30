/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused or parsed into a value that, written, parses to the same text again. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/jv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(jv_free) struct jv *value = jv_parse((struct bytes){data, size}, NULL);
    if (!value)
        return 0;
    AUTO(buf_dispose) struct buf once = BUF(64 << 20), twice = BUF(64 << 20);
    assert(jv_write(value, false, &once, NULL));
    AUTO(jv_free) struct jv *again = jv_parse(buf_bytes(&once), NULL);
    assert(again && jv_write(again, false, &twice, NULL));
    assert(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    return 0;
}
