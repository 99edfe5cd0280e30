/* SPDX-License-Identifier: Apache-2.0 */
/* Large files in pieces that are found again when bytes are changed, inserted or removed.
 *
 * The pieces end where a rolling hash of the content says so, therefore an insertion moves
 * borders only near it. The side that sends keeps the list of pieces of what the other side
 * has; so it knows what to send without asking. The list has the blocks of sync/sum.h too: those
 * that did not change are passed over, several threads at a time, and only the pieces that touch
 * another one are looked for. */
#pragma once

#include <stdatomic.h>

#include "base/attributes.h"
#include "base/hash.h"
#include "sync/sum.h"

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
    struct chunk items[]; /* and behind them the blocks: chunk_blocks */
};
static inline size_t chunk_list_size(uint64_t size, uint32_t count)
{
    return sizeof(struct chunk_list) + (size_t)count * sizeof(struct chunk) +
           sum_block_count(size) * sizeof(struct hash128);
}
static inline struct hash128 *chunk_blocks(const struct chunk_list *list)
{
    return (struct hash128 *)(list->items + list->count);
}

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
 * ERROR_CONFLICT when the file ends early, ERROR_LIMIT when it is too large,
 * ERROR_CANCELLED soon after *stop (which may be NULL) was set. */
MUST_USE bool chunk_scan(int fd, uint64_t size, const struct chunk_list *old,
                         const atomic_bool *stop, struct chunk_result *out, struct error *err);
void chunk_result_dispose(struct chunk_result *result);
static inline void chunk_result_dispose_auto(struct chunk_result *result)
{
    chunk_result_dispose(result);
}
