/* SPDX-License-Identifier: Apache-2.0 */
/* What is at a path right now: kind, mode, hash and, when wanted, the bytes or the pieces. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "sync/chunk.h"
#include "sync/entry.h"

struct error;
struct node;

enum {
    CONTENT_BYTES = 1,
    CONTENT_CHUNKS = 2, /* the list and the segments of a large file … */
    CONTENT_WHOLE = 4,  /* … or one segment, which is all of it, and no list */
};

struct content {
    struct entry entry; /* kind ENTRY_NONE when nothing is there */
    bool special;       /* a socket, FIFO or device: entry.kind is ENTRY_NONE */
    bool racy;          /* changed so lately that its times prove nothing */
    int64_t mtime_ns, ctime_ns;
    uint64_t inode;
    struct buf bytes;           /* of a small file, or a link's target; CONTENT_BYTES */
    struct chunk_result chunks; /* of a large one; CONTENT_CHUNKS */
    int fd;                     /* of a large file, for reading literals; -1 */
};

/* Looks at `name` in the open folder `dir`, without following a link. Fails with
 * ERROR_CONFLICT when the file keeps changing while it is read, and with the system's
 * reason when it cannot be read. `old` as for chunk_scan. */
MUST_USE bool content_read(int dir, const char *name, int want, const struct chunk_list *old,
                           struct content *out, struct error *err);
void content_dispose(struct content *content);
static inline void content_dispose_auto(struct content *content)
{
    content_dispose(content);
}

/* Takes entry and times over as the node's local state. */
void content_store(const struct content *content, struct node *node);
