/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands as rows: what is parsed, what --help prints and what the manual page says come from
 * the same place. A program without subcommands is one command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/option.h"

struct buf;
struct error;

struct command {
    const char *name;     /* "forward" */
    const char *operands; /* "LOCAL[:REMOTE]", or NULL */
    const char *summary;  /* one line, no full stop */
    const char *details;  /* NULL, or paragraphs for --help and the manual */
    const struct option *options;
    const void *defaults; /* a struct of options_size bytes, copied before anything is read */
    size_t options_size;
    size_t min_operands, max_operands;
    bool stop_at_operand; /* what follows the first operand belongs to it */
    bool hidden;          /* not shown in help */
    /* `context` is what command_run was given. The exit code is 0, or follows the error's kind
     * (command_exit_code) when false is returned. */
    bool (*run)(void *context, const void *options, struct operands operands, struct error *err);
};

struct example {
    const char *line; /* NULL ends the list */
    const char *help;
};

struct program {
    const char *name;    /* "vma" */
    const char *summary; /* one line */
    const char *version;
    const char *details;                   /* NULL, or paragraphs for --help and the manual */
    const struct example *examples;        /* NULL, or for --help and the manual */
    const struct command *const *commands; /* ended by NULL */
    const struct command *fallback; /* runs when the first argument is no command; may be NULL */
};

/* The command that these arguments (without the program's name) name; *out_rest is what follows
 * it. NULL and ERROR_INVALID for an unknown one, with the nearest names in the text. */
MUST_USE const struct command *program_find(const struct program *program, char **arguments,
                                            char ***out_rest, struct error *err);

/* Environment, then arguments, then run. */
MUST_USE bool command_run(const struct command *command, void *context, char **arguments,
                          char *(*lookup)(const char *name), struct error *err);

MUST_USE bool program_help(const struct program *program, struct buf *out, struct error *err);
MUST_USE bool command_help(const struct program *program, const struct command *command,
                           struct buf *out, struct error *err);
/* A manual page in man(7) format with all commands. */
MUST_USE bool program_manual(const struct program *program, struct buf *out, struct error *err);

/* A Markdown table of every command's settings: docs/config.md. */
MUST_USE bool program_reference(const struct program *program, struct buf *out, struct error *err);

/* sysexits-like: 64 for wrong usage, 66 not found, 69 unavailable, 70 internal, 73 conflict, 74
 * disk full, 75 time-out, 77 denied, 130 cancelled, 1 for the rest. */
int command_exit_code(const struct error *err);
