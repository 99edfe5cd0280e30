/* SPDX-License-Identifier: Apache-2.0 */
/* vma.yaml: what a project wants. Reading is pure: text in, values or an error with the line out.
 * Keys that are not known are errors, with the nearest known one named. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

struct config_list {
    char **items;
    size_t count;
};

struct config {
    char *host;             /* NULL when not said */
    char *remote;           /* the folder there; NULL: ~/ and the name of ours */
    struct config_list ssh; /* the ssh command's words; none: {"ssh"} */
    int64_t keep_ms;
    struct config_list forward, reverse; /* rules as forward_rule_parse takes them */
    struct {
        char *mode; /* "mirror" … or "off" */
        struct config_list ignore, protect;
    } sync;
};

enum { CONFIG_SIZE_MAX = 256 * 1024 };

/* `name` is the file's, for errors: "vma.yaml line 7: …". */
MUST_USE struct config *config_parse(struct bytes text, const char *name, struct error *err);
/* With nothing but defaults. */
struct config *config_default(void);
void config_free(struct config *config);
static inline void config_free_auto(struct config **config)
{
    config_free(*config);
}

/* A vma.yaml with every key, its default and what it means; `host` may be NULL. Parses. */
MUST_USE bool config_example(const char *host, struct buf *out, struct error *err);
