/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3-128: names for content. Fast and well spread, not a defence against forgery. */
#pragma once

#include "base/auto.h"
#include "base/bytes.h"

struct hash128 {
    uint8_t bytes[16];
};

enum { HASH128_TEXT_SIZE = 33 };

struct hash128 hash128_of(struct bytes bytes);

/* In pieces: hasher_new, hasher_add …, hasher_end, hasher_free. */
struct hasher;
struct hasher *hasher_new(void);
void hasher_reset(struct hasher *hasher);
void hasher_add(struct hasher *hasher, struct bytes bytes);
struct hash128 hasher_end(const struct hasher *hasher);
void hasher_free(struct hasher *hasher);
static inline void hasher_free_auto(struct hasher **hasher)
{
    hasher_free(*hasher);
}

void hash128_text(struct hash128 hash, char out[HASH128_TEXT_SIZE]);

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
