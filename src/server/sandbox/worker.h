/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program's side: waits for jobs and forks a confined worker for each. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct worker_job {
    int file;
    const uint8_t *request;
    size_t request_size;
    uint8_t *shared;
    size_t shared_bytes;
};

/* Runs in the confined worker. Fills `reply` and returns how many bytes of it count; 0 says that
 * nothing came of it. */
typedef size_t worker_function(const struct worker_job *job, uint8_t *reply, size_t reply_size);

/* In the worker: it may take `cpu_s` seconds of processor time in all, as far as the job allows
 * them; until it says so, one. If it needs more it ends, and helper_run fails with ERROR_TIMEOUT.
 * For work that knows after its first look how much there is to do. */
void worker_allow(int cpu_s);

/* Call after everything that the work needs is loaded and while there is one thread only. Serves
 * descriptor 3 until the other end is closed or nothing was asked for `idle_ms`, and returns the
 * program's exit status. */
int worker_serve(worker_function *work, int idle_ms);
