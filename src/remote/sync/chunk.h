/* SPDX-License-Identifier: Apache-2.0 */
/* Large files in pieces that are found again when bytes are changed, inserted or removed.
 *
 * The pieces end where a rolling hash of the content says so, therefore an insertion moves
 * borders only near it. The side that sends keeps the list of pieces of what the other side
 * has; so it knows what to send without asking. When most of a file is unchanged its old pieces
 * are found where they were by their hashes alone, at the speed of memory. */
#pragma once

#include "base/attributes.h"
#include "base/hash.h"

struct error;

/* Files of this size and above have a list. */
enum { CHUNK_FILE_MIN = 512 * 1024 };

struct chunk {
    uint32_t size;
    struct hash128 hash;
};

struct chunk_list {
    struct hash128 content; /* of the whole file */
    uint64_t size;
    uint32_t count;
    struct chunk items[];
};

/* A part of the new content: at `old_offset` of the old one, or, when that is CHUNK_LITERAL, to be
 * sent from the same place of the new one. */
#define CHUNK_LITERAL UINT64_MAX
struct chunk_segment {
    uint64_t old_offset;
    uint64_t size;
};

struct chunk_result {
    struct chunk_list *list;        /* owned */
    struct chunk_segment *segments; /* owned; neighbours joined */
    size_t segment_count;
    uint64_t literal_bytes;
};

/* Reads the file from its beginning to `size`. `old` may be NULL: then all is literal. Fails with
 * ERROR_CONFLICT when the file ends early. */
MUST_USE bool chunk_scan(int fd, uint64_t size, const struct chunk_list *old,
                         struct chunk_result *out, struct error *err);
void chunk_result_dispose(struct chunk_result *result);
static inline void chunk_result_dispose_auto(struct chunk_result *result)
{
    chunk_result_dispose(result);
}
