/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the bytes: no read past their end, and only what is a picture can move. */
#include <stdlib.h>

#include "decoder/sniff.h"
#include "decoder/swell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes file = {data, size};
    enum photo_format format = photo_sniff(file);
    if (format == PHOTO_NONE && photo_moves(format, file))
        abort();
    for (int i = PHOTO_NONE; i <= PHOTO_GIF; i++) {
        (void)photo_moves((enum photo_format)i, file);
        (void)photo_ends_early((enum photo_format)i, file);
        (void)photo_swells((enum photo_format)i, file);
    }
    return 0;
}
