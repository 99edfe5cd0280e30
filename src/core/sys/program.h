/* SPDX-License-Identifier: Apache-2.0 */
/* A helper program of ours, which talks over descriptors that it is given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attributes.h"

struct error;

enum { PROGRAM_FIRST_FD = 3, PROGRAM_FDS_MAX = 4 };

struct program {
    const char *path;         /* with a slash */
    char *const *arguments;   /* from the program's name on, ended by NULL */
    char *const *environment; /* ended by NULL */
    int fds[PROGRAM_FDS_MAX]; /* borrowed; they become 3, 4 … in it */
    size_t fd_count;
};

/* Nothing else is inherited but the three standard streams; signals are as in a new process. Any
 * thread may call this. ERROR_UNAVAILABLE when it cannot be started. */
MUST_USE bool program_start(const struct program *program, pid_t *out_pid, struct error *err);
