/* SPDX-License-Identifier: Apache-2.0 */
/* Which filter bytes compress better with, guessed from a few kilobytes of them. A wrong guess
 * costs some bytes and nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct filter;

/* `base` is where in their file they begin. False when they had better stay as they are. */
MUST_USE bool guess_filter(struct bytes bytes, uint64_t base, struct filter *out);
