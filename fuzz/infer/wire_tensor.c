/* SPDX-License-Identifier: Apache-2.0 */
/* A tensor as another process tells of it: refused, or it lies within the memory and takes what
 * its shape says. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "infer/wire_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 1 << 20 };
    struct wire_tensor tensor;
    size_t bytes;
    if (size < sizeof tensor)
        return 0;
    memcpy(&tensor, data, sizeof tensor);
    if (!wire_tensor_check(&tensor, ROOM, &bytes))
        return 0;
    size_t expected = tensor_type_size((enum tensor_type)tensor.type);
    for (int i = 0; i < tensor.rank; i++)
        if (tensor.dims[i] == 0)
            expected = 0;
    for (int i = 0; i < tensor.rank; i++) {
        assert(tensor.dims[i] >= 0);
        assert(tensor.dims[i] == 0 || expected <= SIZE_MAX / (size_t)tensor.dims[i]);
        expected *= (size_t)tensor.dims[i];
    }
    assert(bytes == expected && tensor.place <= ROOM && bytes <= ROOM - tensor.place);
    return 0;
}
