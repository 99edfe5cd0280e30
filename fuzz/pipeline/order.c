/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the queue's database: refused, or an order that reads the same once it is written. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "pipeline/pipeline_internal.h"
#include "pipeline/request_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    AUTO(mem_free) char *text = xstrndup((const char *)data, size);
    AUTO(order_dispose) struct order order;
    AUTO(order_dispose) struct order again = {0};
    if (!order_read(text, &order, &err))
        return 0;
    AUTO(mem_free) char *written = order_write(&order);
    assert(order_read(written, &again, &err));
    assert(strcmp(order.text, again.text) == 0 && strcmp(order.voice, again.voice) == 0);
    assert(order.format == again.format && order.backdrop == again.backdrop);
    assert(memcmp(order.color, again.color, sizeof order.color) == 0);
    assert(hash128_equal(order.image, again.image) && order.face == again.face);
    return 0;
}
