/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of sizes that we choose. These end the process when memory is gone, so they never
 * return NULL; a size that comes from outside is checked against a stated limit first. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "base/auto.h"

MUST_USE NEVER_NULL void *xmalloc(size_t size);
/* Zeroed; count * size is checked for overflow. */
MUST_USE NEVER_NULL void *xcalloc(size_t count, size_t size);
MUST_USE NEVER_NULL void *xrealloc(void *pointer, size_t size);
/* Room for `count` items of `size` bytes, checked for overflow. */
MUST_USE NEVER_NULL void *xreallocarray(void *pointer, size_t count, size_t size);
MUST_USE NEVER_NULL char *xstrdup(const char *text);
MUST_USE NEVER_NULL char *xstrndup(const char *text, size_t size);
MUST_USE NEVER_NULL char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);
