/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a path, the rest are rules: matching ends, and survives encoding. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "sync/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    AUTO(ignore_free) struct ignore *decoded = ignore_decode((struct bytes){data, size}, &err);
    if (decoded && size > 4096) /* such rules may be many */
        return 0;
    if (size > 4096)
        return 0;
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t line = end ? (size_t)(end - data) : size;
    AUTO(mem_free) char *path = xstrndup((const char *)data, line);
    struct bytes rules = {data + line, size - line};
    AUTO(ignore_free) struct ignore *ignore = ignore_new();
    ignore_set_config(ignore, rules);
    ignore_add(ignore, NULL, "", rules);
    enum ignore_verdict verdict = ignore_match_path(ignore, path, false);
    AUTO(buf_dispose) struct buf out = BUF(1 << 20);
    assert(ignore_encode(ignore, &out, &err));
    AUTO(ignore_free) struct ignore *again = ignore_decode(buf_bytes(&out), &err);
    assert(again && ignore_match_path(again, path, false) == verdict);
    return 0;
}
