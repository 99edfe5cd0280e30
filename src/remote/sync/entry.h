/* SPDX-License-Identifier: Apache-2.0 */
/* What there is at a path, as far as the two sides compare it: not its times, not its owner. */
#pragma once

#include "base/hash.h"

enum entry_kind { ENTRY_NONE, ENTRY_FILE, ENTRY_DIR, ENTRY_LINK };

enum { ENTRY_MODE_MASK = 0777 };

struct entry {
    uint8_t kind;
    uint16_t mode;       /* permission bits; 0 for links and for nothing             */
    uint64_t size;       /* of a file, or of a link's target; 0 otherwise            */
    struct hash128 hash; /* of the content, or of the link's target; zero otherwise  */
};

static inline bool entry_same_content(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && a->size == b->size && hash128_equal(a->hash, b->hash);
}

static inline bool entry_equal(const struct entry *a, const struct entry *b)
{
    return entry_same_content(a, b) && a->mode == b->mode;
}

/* "file", "folder", "link", "nothing". */
const char *entry_kind_name(enum entry_kind kind);
