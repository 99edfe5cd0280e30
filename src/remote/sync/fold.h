/* SPDX-License-Identifier: Apache-2.0 */
/* Case folding and canonical decomposition of single code points, as far as file names need it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FOLD_PARTS = 4 };

/* Writes what the code point decomposes to, in lower case; at least one part. */
size_t fold_code_point(uint32_t code, uint32_t out[FOLD_PARTS]);
