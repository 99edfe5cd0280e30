/* SPDX-License-Identifier: Apache-2.0 */
/* Work on untrusted files in a process of its own. A helper program is started once, loads the
 * libraries that it needs and waits; for every job it forks a worker, which gives up its rights
 * (confine.h), works and ends. So a job costs a fork, not the start of a program, and nothing
 * that one file does to its worker reaches the next. Threads may share a helper. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "sandbox/confine.h"

struct error;
struct helper;

/* Starts `program` in the background; a helper that ends is started again when it is needed. */
MUST_USE struct helper *helper_open(const char *program, struct error *err);
/* The same, started only when it is needed. */
MUST_USE struct helper *helper_open_later(const char *program);
void helper_close(struct helper *helper);
static inline void helper_close_auto(struct helper **helper)
{
    helper_close(*helper);
}

struct helper_job {
    int file; /* read only for the worker */
    const void *request;
    size_t request_size; /* bytes, 64 at most */
    size_t shared_bytes; /* memory that the worker fills */
    struct limits limits;
    int64_t timeout_ms;
};

struct helper_result {
    uint8_t reply[512];
    size_t reply_size;
    const void *shared; /* what the worker left there */
    size_t shared_bytes;
};
void helper_result_dispose(struct helper_result *result);
static inline void helper_result_dispose_auto(struct helper_result *result)
{
    helper_result_dispose(result);
}

/* ERROR_TIMEOUT when the time ran out, the worker's own or the clock's (the worker is gone then),
 * ERROR_INTERNAL when the worker ended without a reply, ERROR_UNAVAILABLE when there is no helper.
 * A worker that ended because its helper did, which no file can bring about, is started once more.
 * `err` is needed. */
MUST_USE bool helper_run(struct helper *helper, const struct helper_job *job,
                         struct helper_result *out, struct error *err);
