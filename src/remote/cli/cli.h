/* SPDX-License-Identifier: Apache-2.0 */
/* The client: what its commands share. One command is one file, named in commands.c. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/command.h"
#include "sys/dirs.h"

struct error;
struct loop;

#define VMA_VERSION "0.1.0"

struct cli {
    dirs_lookup *lookup; /* the environment */
    char *self;          /* this program's file */
    unsigned long files; /* descriptors that programs may have which it starts */
    int exit_code;       /* of a command that succeeded, such as exec's program's */
    bool dumb;           /* what can move no cursor is written to, if a terminal at all */
};

extern const struct program vma_program;
