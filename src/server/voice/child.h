/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a helper program that reads hostile text: no shell, an empty environment, limits on
 * time, memory and files, and nothing of ours open in it but what is handed over. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

struct child_job {
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH */
    struct bytes input;      /* what it reads on descriptor 0, at most 64 KiB */
    int extra_fd;            /* becomes its descriptor 3, or -1 */
    int timeout_ms;
};

/* Runs to the end and appends what it wrote on descriptor 1 to `out`. ERROR_TIMEOUT when it took
 * too long, ERROR_NOT_FOUND when there is no such program, ERROR_UNAVAILABLE when it cannot be
 * started or failed, ERROR_LIMIT when `out` is full. The child is always gone when this returns. */
MUST_USE bool child_run(const struct child_job *job, struct buf *out, struct error *err);
