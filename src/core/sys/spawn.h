/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a program: fork and exec, with an error that says what could not be done. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"

struct error;

struct spawn {
    const char *const *arguments;   /* ended by NULL; the first is looked up in PATH    */
    const char *const *environment; /* "NAME=value", ended by NULL, added to ours       */
    const char *folder;             /* NULL: ours                                       */
    int fds[3];                     /* standard streams; -1: /dev/null                  */
    bool terminal;       /* fds[0] is a terminal, to be its controlling one; implies own_session */
    bool own_session;    /* away from our terminal, in a process group of its own           */
    bool own_group;      /* only the process group                                          */
    unsigned long files; /* descriptors that it may have; 0: as many as we                */
};

/* Lets this process have as many descriptors as it is allowed to ask for (at most 65,536). Returns
 * what it had before, for programs that it starts: some expect no number above 1023. */
unsigned long spawn_widen(void);

/* Opens /dev/null for those of our standard streams that are closed: nothing that is opened later
 * must get their numbers. */
void spawn_fill_standard(void);

/* The process id, or -1. Signals are back at their defaults in the child. */
MUST_USE pid_t spawn_start(const struct spawn *spawn, struct error *err);
