/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

/* Reads digits; false when there are none. Values beyond 64 bits stay at the maximum. */
static bool number(const char **at, uint64_t *out)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
    }
    *out = value;
    return *at != start;
}

enum http_range http_range_parse(const char *field, uint64_t total, uint64_t *out_first,
                                 uint64_t *out_size)
{
    uint64_t first = 0, last = 0;
    if (!field || strncasecmp(field, "bytes=", 6) != 0)
        return HTTP_RANGE_NONE;
    const char *at = field + 6;
    bool has_first = number(&at, &first);
    if (*at++ != '-')
        return HTTP_RANGE_NONE;
    bool has_last = number(&at, &last);
    if (*at != '\0' || (!has_first && !has_last) || (has_first && has_last && last < first))
        return HTTP_RANGE_NONE;

    if (!has_first) { /* the last so many bytes */
        if (last == 0 || total == 0)
            return HTTP_RANGE_UNSATISFIABLE;
        *out_size = last < total ? last : total;
        *out_first = total - *out_size;
        return HTTP_RANGE_PART;
    }
    if (first >= total)
        return HTTP_RANGE_UNSATISFIABLE;
    if (!has_last || last >= total)
        last = total - 1;
    *out_first = first;
    *out_size = last - first + 1;
    return HTTP_RANGE_PART;
}
