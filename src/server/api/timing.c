/* SPDX-License-Identifier: Apache-2.0 */
#include "api/timing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/response.h"

struct timing timing_begin(void)
{
    return (struct timing){.last_ns = mono_ns()};
}

void timing_mark(struct timing *timing, const char *name)
{
    int64_t now_ns = mono_ns();
    size_t used = strlen(timing->text), room = sizeof timing->text - used;
    int size = snprintf(timing->text + used, room, "%s%s;dur=%.2f", used ? ", " : "", name,
                        (double)(now_ns - timing->last_ns) / 1e6);
    if (size < 0 || (size_t)size >= room)
        timing->text[used] = '\0';
    timing->last_ns = now_ns;
}

void timing_tell(const struct timing *timing, struct http_response *response)
{
    if (timing->text[0])
        http_response_header(response, "Server-Timing", timing->text);
}
