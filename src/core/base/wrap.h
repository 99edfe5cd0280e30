/* SPDX-License-Identifier: Apache-2.0 */
/* Text for a terminal of 80 columns: lines end between words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct buf;
struct error;

/* Appends `text`, of which a newline stays one. The first line begins in column `column`, what is
 * begun here in column `indent`. */
MUST_USE bool wrap_put(struct buf *out, const char *text, size_t column, size_t indent,
                       struct error *err);
