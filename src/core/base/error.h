/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong: a kind to branch on, a sentence to read and, where a person sent the thing
 * that is at fault, the name of the field and a code under which it is explained in every
 * language. Filled in where it happened, wrapped on the way up, logged once at the top. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

enum error_kind {
    ERROR_INVALID,     /* the input is wrong; retrying cannot help     */
    ERROR_NOT_FOUND,   /* the named thing does not exist               */
    ERROR_CONFLICT,    /* it exists already, or changed under us       */
    ERROR_DENIED,      /* not allowed                                  */
    ERROR_LIMIT,       /* a size, rate or quota was exceeded           */
    ERROR_TIMEOUT,     /* a deadline passed                            */
    ERROR_UNAVAILABLE, /* a peer or device is away; retrying may help  */
    ERROR_CANCELLED,   /* somebody asked for it to stop                */
    ERROR_INTERNAL,    /* our own fault                                */
};

struct error {
    enum error_kind kind; /* what callers may branch on                                      */
    int os;               /* errno at the origin, or 0                                       */
    char text[240];       /* outermost context first: "stage a: open a.tmp: No space …"      */
    const char *code;     /* NULL, or static: the problem's stable name, "image_no_face"     */
    const char *field;    /* NULL, or static: which part of the input is at fault, "image"   */
    int retry_after_s;    /* 0, or when trying again may help                               */
};

/* These return false, so a failing function can end with `return error_set(…);`. `err` may be
 * NULL where the caller does not care. error_set clears code, field and time. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Picks the kind from errno value `os` and appends its description to the text. */
bool error_os(struct error *err, int os, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "format: " in front of the text. Kind, code and cause stay whole, even when room is
 * short. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Names the field at fault and the code that explains it; both must be static. */
bool error_about(struct error *err, const char *field, const char *code);

/* Says when trying again may help, where that is known. */
bool error_retry(struct error *err, int seconds);

/* "invalid", "not_found", …: for logs and JSON. */
const char *error_kind_name(enum error_kind kind);

/* The analyzer sees one file at a time and would take every failure for a possible success. */
#ifdef __clang_analyzer__
#define error_set(...)   (error_set(__VA_ARGS__), false)
#define error_os(...)    (error_os(__VA_ARGS__), false)
#define error_wrap(...)  (error_wrap(__VA_ARGS__), false)
#define error_about(...) (error_about(__VA_ARGS__), false)
#define error_retry(...) (error_retry(__VA_ARGS__), false)
#endif
