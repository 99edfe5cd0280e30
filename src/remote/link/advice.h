/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh's standard error means, and what to do about it. Beside ssh's own lines there are a
 * banner of the server's and what a login prints, so only whole lines as ssh writes them count, and
 * of those the last one that is a cause: "Connection closed" follows from others. Pure. */
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

struct advice {
    struct bytes line;    /* the one that tells why, else the last; borrowed from what was said */
    enum error_kind kind; /* ERROR_DENIED, ERROR_UNAVAILABLE: try again; else ERROR_NOT_FOUND */
    char todo[160];       /* goes behind the line; "" when nothing better is known */
};

/* `said`: all of ssh's standard error. `by_ssh`: it was ssh that failed, as its exit status 255
 * tells, and not what it ran. */
void advice_for(struct bytes said, bool by_ssh, const char *host, struct advice *out);
