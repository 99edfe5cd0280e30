/* SPDX-License-Identifier: Apache-2.0 */
/* Options as rows of a table: one row gives parsing from the command line, from the environment
 * and from a file, the help text, the manual page and docs/config.md.
 *
 *     struct options { const char *host; int64_t timeout_ms; bool quiet; };
 *
 *     static const struct option rows[] = {
 *         OPTION_TEXT('H', "host", "NAME", host, "use this host", .environment = "VMA_HOST"),
 *         OPTION_DURATION('t', "timeout", "TIME", timeout_ms, "give up after TIME [10s]"),
 *         OPTION_FLAG('q', "quiet", quiet, "print nothing on success"),
 *         OPTION_END,
 *     };
 *
 * The macros name the struct that holds the values `struct options` and check, when compiled,
 * that the field has the type of the row. Precedence: flag, environment, file, default. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct buf;
struct error;

enum option_kind {
    OPTION_KIND_FLAG = 1, /* bool; --name and --no-name; in the environment 1/0, true/false … */
    OPTION_KIND_TEXT,     /* const char *, borrowed from where it was read */
    OPTION_KIND_INT,      /* int64_t in min..max */
    OPTION_KIND_REAL,     /* double in min..max  */
    OPTION_KIND_DURATION, /* int64_t, milliseconds, written "1h30m" */
    OPTION_KIND_SIZE,     /* int64_t, bytes, written "10MB" */
    OPTION_KIND_CHOICE,   /* const char *, one of `choices` */
    OPTION_KIND_LIST,     /* struct option_list: every occurrence adds one */
};

enum { OPTION_LIST_MAX = 32 };

struct option_list {
    size_t count;
    const char *items[OPTION_LIST_MAX];
};

struct option {
    enum option_kind kind;
    char letter;      /* 0 when there is no short form */
    const char *name; /* long form, without dashes; NULL: only in the environment or a file */
    const char *argument;
    size_t offset; /* of the field in the struct of values */
    const char *help;
    const char *environment;    /* NULL, or the variable's name */
    const char *const *choices; /* ended by NULL */
    double min, max;            /* of numbers; both 0 means any */
    bool secret;                /* its value is never printed */
};

#define OPTION_FIELD_(type, field)                                                                 \
    _Generic(((struct options *)0)->field, type : offsetof(struct options, field))
#define OPTION_FLAG(l, n, field, h, ...)                                                           \
    {                                                                                              \
        .kind = OPTION_KIND_FLAG, .letter = (l), .name = (n),                                      \
        .offset = OPTION_FIELD_(bool, field), .help = (h), __VA_ARGS__                             \
    }
#define OPTION_ROW_(k, type, l, n, a, field, h, ...)                                               \
    {                                                                                              \
        .kind = (k), .letter = (l), .name = (n), .argument = (a),                                  \
        .offset = OPTION_FIELD_(type, field), .help = (h), __VA_ARGS__                             \
    }
#define OPTION_TEXT(l, n, a, field, h, ...)                                                        \
    OPTION_ROW_(OPTION_KIND_TEXT, const char *, l, n, a, field, h, __VA_ARGS__)
#define OPTION_INT(l, n, a, field, h, ...)                                                         \
    OPTION_ROW_(OPTION_KIND_INT, int64_t, l, n, a, field, h, __VA_ARGS__)
#define OPTION_REAL(l, n, a, field, h, ...)                                                        \
    OPTION_ROW_(OPTION_KIND_REAL, double, l, n, a, field, h, __VA_ARGS__)
#define OPTION_DURATION(l, n, a, field, h, ...)                                                    \
    OPTION_ROW_(OPTION_KIND_DURATION, int64_t, l, n, a, field, h, __VA_ARGS__)
#define OPTION_SIZE(l, n, a, field, h, ...)                                                        \
    OPTION_ROW_(OPTION_KIND_SIZE, int64_t, l, n, a, field, h, __VA_ARGS__)
#define OPTION_CHOICE(l, n, a, field, h, ...)                                                      \
    OPTION_ROW_(OPTION_KIND_CHOICE, const char *, l, n, a, field, h, __VA_ARGS__)
#define OPTION_LIST(l, n, a, field, h, ...)                                                        \
    OPTION_ROW_(OPTION_KIND_LIST, struct option_list, l, n, a, field, h, __VA_ARGS__)
#define OPTION_END                                                                                 \
    {                                                                                              \
        .kind = 0                                                                                  \
    }

/* Sets one value from text. `source` names where it came from ("--port", "variable LOG_LEVEL",
 * "vma.yaml line 3") in errors, which say what is allowed and never show a secret. */
MUST_USE bool option_set(const struct option *option, void *values, const char *source,
                         const char *text, struct error *err);

const struct option *option_find(const struct option *rows, const char *name, size_t length);

/* Applies every variable that is set and not empty. `lookup` is getenv in main.c. */
MUST_USE bool options_from_environment(const struct option *rows, void *values,
                                       char *(*lookup)(const char *name), struct error *err);

struct operands {
    size_t count;
    char *const *items; /* borrowed from the arguments, which are reordered */
};

/* Reads `arguments` (without the program's and command's name, ended by NULL). Options may stand
 * anywhere before "--" unless `stop_at_operand`. */
MUST_USE bool options_from_arguments(const struct option *rows, void *values, char **arguments,
                                     bool stop_at_operand, struct operands *out, struct error *err);

/* What an option is for; what can be chosen from stands in front of the default. */
MUST_USE bool option_help(const struct option *row, struct buf *out, struct error *err);

/* The lines of --help for these rows, and those of --help-env. */
MUST_USE bool options_help(const struct option *rows, struct buf *out, struct error *err);
MUST_USE bool options_help_environment(const struct option *rows, struct buf *out,
                                       struct error *err);
/* A Markdown table of these rows, for docs/config.md. */
MUST_USE bool options_reference(const struct option *rows, struct buf *out, struct error *err);
