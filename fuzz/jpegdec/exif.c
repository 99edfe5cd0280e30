/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the bytes: no read past their end, and an answer that is a way to turn a picture. */
#include <stdlib.h>

#include "jpegdec/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int orientation = exif_orientation((struct bytes){data, size});
    if (orientation < 1 || orientation > 8)
        abort();
    return 0;
}
