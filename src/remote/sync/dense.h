/* SPDX-License-Identifier: Apache-2.0 */
/* Whether bytes are worth compressing. What is compressed already (pictures, archives) has every
 * byte about equally often; text, programs and numbers do not. A guess from a few kilobytes, good
 * enough to choose an order by, and for nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

enum { DENSE_SAMPLE = 4096, DENSE_LEAST = 512 /* less says nothing */ };

MUST_USE bool dense_bytes(struct bytes sample);
/* The same of the middle of a file below `root`; false when it cannot be read. */
MUST_USE bool dense_file(int root, const char *path, uint64_t size);
