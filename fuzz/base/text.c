/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding never reads past the end and what it accepts encodes back; durations, sizes and
 * numbers never overflow. */
#include <assert.h>
#include <stdint.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = text_trim((struct bytes){data, size});
    while (rest.size) {
        uint32_t code_point;
        char back[4];
        size_t used = utf8_decode(rest, &code_point);
        assert(used <= rest.size);
        if (used == 0)
            break;
        assert(utf8_write(code_point, back) == used && memcmp(back, rest.data, used) == 0);
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
    AUTO(mem_free) char *text = xstrndup(size ? (const char *)data : "", size);
    int64_t whole;
    double real;
    if (duration_parse(text, &whole, NULL))
        assert(whole >= 0);
    if (size_parse(text, &whole, NULL))
        assert(whole >= 0);
    if (text_int(text, -5, 5, &whole))
        assert(whole >= -5 && whole <= 5);
    if (text_real(text, -5, 5, &real))
        assert(real >= -5 && real <= 5);
    return 0;
}
