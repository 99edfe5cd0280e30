/* SPDX-License-Identifier: Apache-2.0 */
/* Takes from this process all that a decoder does not need, for good: it keeps the memory and the
 * descriptors that it has, may compute, start threads and write to one pipe; it cannot open
 * files, make sockets, run programs, signal others or outgrow its limits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct error;

struct limits {
    size_t memory_bytes; /* of address space beyond what is there now */
    int cpu_s;           /* seconds of processor time: SIGXCPU then, SIGKILL a second later */
};

/* `write_fd` is the only descriptor that may be written to. */
MUST_USE bool confine(const struct limits *limits, int write_fd, struct error *err);
