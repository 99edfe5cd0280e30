/* SPDX-License-Identifier: Apache-2.0 */
/* The Range header field (RFC 9110, section 14): one range of bytes. Pure. */
#pragma once

#include <stdint.h>

enum http_range {
    HTTP_RANGE_NONE,          /* no field, another unit, several ranges or nonsense: all of it */
    HTTP_RANGE_PART,          /* *out_first and *out_size are set */
    HTTP_RANGE_UNSATISFIABLE, /* well-formed, but nothing of it is there: 416 */
};

/* `field` may be NULL; `total` is the size of the whole in bytes. */
enum http_range http_range_parse(const char *field, uint64_t total, uint64_t *out_first,
                                 uint64_t *out_size);
