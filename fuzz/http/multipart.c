/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes give the same parts, or the same refusal, however they are cut; and data that comes
 * out was in the input. */
#include <assert.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_begin(void *context, const struct multipart_part *part, struct error *err)
{
    return buf_printf(context, err, "<%s%d:", part->name, part->is_file);
}

static bool on_data(void *context, struct bytes data, struct error *err)
{
    return buf_append(context, data, err);
}

static bool on_end(void *context, struct error *err)
{
    return buf_text(context, ">", err);
}

static bool run(struct bytes input, size_t step, struct buf *out)
{
    const struct multipart_sink sink = {out, on_begin, on_data, on_end};
    AUTO(multipart_free)
    struct multipart *multipart = multipart_new("multipart/form-data; boundary=\"b\"", &sink, NULL);
    assert(multipart);
    while (input.size) {
        size_t piece = input.size < step ? input.size : step;
        if (!multipart_feed(multipart, (struct bytes){input.data, piece}, NULL))
            return false;
        input = (struct bytes){input.data + piece, input.size - piece};
    }
    return multipart_end(multipart, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * 1024)
        return 0;
    AUTO(buf_dispose) struct buf whole = BUF(8 * size + 4096);
    AUTO(buf_dispose) struct buf pieces = BUF(8 * size + 4096);
    size_t step = size ? 1 + data[0] % 16 : 1;
    bool fine = run((struct bytes){data, size}, size ? size : 1, &whole);
    assert(run((struct bytes){data, size}, step, &pieces) == fine);
    if (fine)
        assert(bytes_equal(buf_bytes(&whole), buf_bytes(&pieces)));
    return 0;
}
