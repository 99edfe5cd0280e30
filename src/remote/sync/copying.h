/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into a place of an open file, from memory or from another file. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct error;
struct sums;

MUST_USE bool write_at(int fd, uint64_t at, struct bytes bytes, struct error *err);

/* A part of a file that becomes a part of another one. */
struct copying {
    int from, to;
    uint64_t from_at, to_at, size;
    struct sums *sums; /* of `to`: the blocks that the copy makes whole are summed; or NULL */
};

/* Much of it on several threads. Fails with ERROR_CONFLICT when `from` ends early. */
MUST_USE bool copy_between(const struct copying *copying, struct error *err);
