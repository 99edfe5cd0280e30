/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again while the link is away. Pure: the time is a parameter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct retry {
    int64_t cut_us;    /* when the stream was lost */
    unsigned setbacks; /* streams in a row that ended before they were of any use */
    bool refused;      /* the host said no */
    bool knocking;     /* the moment when it can be reached again will be told */
};

/* A stream was lost. `useful`: it carried something, or was there for a while. */
void retry_cut(struct retry *retry, bool useful, int64_t now_us);
/* How long the first try waits after the cut: nothing, unless this happens again and again. */
int64_t retry_first_ms(const struct retry *retry);
/* From one try to the next. */
int64_t retry_next_ms(const struct retry *retry, int64_t now_us);
