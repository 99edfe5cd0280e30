/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a content, by which the two sides compare files: XXH3-128 of up to SUM_BLOCK bytes;
 * of more, XXH3-128 over the XXH3-128s of its blocks of that size. So several threads can make it
 * at once, and a changed block is found without looking for its pieces. */
#pragma once

#include "base/attributes.h"
#include "base/hash.h"

struct error;
struct summer;

enum { SUM_BLOCK = 1024 * 1024 };
/* Larger files are refused: what is kept for each block has to fit into memory. */
#define SUM_FILE_MAX (UINT64_C(1) << 42)

struct hash128 sum_of(struct bytes content);

static inline size_t sum_block_count(uint64_t size)
{
    return (size_t)((size + SUM_BLOCK - 1) / SUM_BLOCK);
}

struct hash128 sum_of_blocks(const struct hash128 *blocks, size_t count);

/* The blocks of a file of which some are summed already: there known[i] is set. */
struct sums {
    struct hash128 *blocks;
    bool *known;
};

/* Sums the rest of the file's blocks, whatever size it has. Errors as below. */
MUST_USE bool sum_missing(int fd, uint64_t size, const struct sums *sums, struct hash128 *out,
                          struct error *err);

/* Sums the first `size` bytes of the file, on several threads when it is large, and lists its
 * blocks, which the caller frees, unless out_blocks is NULL. Fails with ERROR_CONFLICT when the
 * file ends early, ERROR_LIMIT when it is above SUM_FILE_MAX. */
MUST_USE bool sum_file(int fd, uint64_t size, struct hash128 *out, struct hash128 **out_blocks,
                       struct error *err);

/* The same for what comes in pieces. */
MUST_USE struct summer *summer_new(void);
void summer_free(struct summer *summer);
static inline void summer_free_auto(struct summer **summer)
{
    summer_free(*summer);
}
void summer_add(struct summer *summer, struct bytes bytes);
/* Once, after the last add. */
struct hash128 summer_end(struct summer *summer);
/* After summer_end; borrowed. */
const struct hash128 *summer_blocks(const struct summer *summer, size_t *out_count);
