/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever `ssh -G` prints: nothing to change, or the same ciphers in another order. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "link/ciphers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(mem_free) char *order = ciphers_order((struct bytes){data, size});
    if (!order)
        return 0;
    assert(strncmp(order, "aes128-gcm@openssh.com,", 23) == 0);
    assert(strlen(order) < size && !strpbrk(order, "\r\n"));
    return 0;
}
