/* SPDX-License-Identifier: Apache-2.0 */
/* Watches over work that waits or runs: whose deadline passes, or whom nobody waits for any more,
 * is stopped. One thread for all, which sleeps while there is nothing to watch. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct watch;

MUST_USE struct watch *watch_new(void);
void watch_free(struct watch *watch); /* nothing may be watched */

enum watch_reason { WATCH_GOES_ON, WATCH_EXPIRED, WATCH_GONE };

/* Lives as long as its owner wants to be watched. */
struct watched {
    int64_t deadline_ms;       /* mono_ms; 0: none */
    bool (*gone)(void *asked); /* NULL, or: does nobody wait for it any more? Asked every 20 ms */
    void *asked;
    void (*stop)(void *context); /* called once, on the watch's thread; must not block */
    void *context;
    /* Filled in by the watch. */
    enum watch_reason reason;
    struct watched *next;
};

void watch_begin(struct watch *watch, struct watched *watched);
/* When it returns, nothing of `watched` is called any more. Says whether it was stopped, and why.
 */
enum watch_reason watch_end(struct watch *watch, struct watched *watched);
