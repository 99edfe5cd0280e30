/* SPDX-License-Identifier: Apache-2.0 */
/* Full-context labels: what HTS Engine speaks from, one for each phoneme. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct error;

struct labels {
    size_t count;
    char **lines; /* without times; each owned */
};

void labels_dispose(struct labels *labels);
static inline void labels_dispose_auto(struct labels *labels)
{
    labels_dispose(labels);
}

/* Room for `count` lines in all, for those who fill them in. */
void labels_reserve(struct labels *labels, size_t count);

/* From open_jtalk's trace: lines "start end label" between a heading and an empty line.
 * ERROR_INVALID when there is nothing but silence in it. */
MUST_USE bool labels_parse(const char *trace, struct labels *out, struct error *err);
