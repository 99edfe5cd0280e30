/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request's time went, as browsers' developer tools show it: the field Server-Timing. */
#pragma once

#include <stdint.h>

struct http_response;

struct timing {
    int64_t last_ns;
    char text[200]; /* "wait;dur=0.1, decode;dur=2.6": milliseconds */
};

struct timing timing_begin(void);
/* What happened since the last mark was `name`. More than fits is left out. */
void timing_mark(struct timing *timing, const char *name);
void timing_tell(const struct timing *timing, struct http_response *response);
