/* SPDX-License-Identifier: Apache-2.0 */
/* Compressing what goes in the bulk lane while more is read and what came before is sent: on a
 * thread of its own, at a level that follows the link. What is added comes out through `send` in
 * order, as pieces of a zstd stream. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct packing;

struct packing_plan {
    bool threaded; /* else everything happens in packing_add and packing_end */
    void *context;
    /* These are called from the thread. The pieces to be sent; how many bytes have not left yet;
     * how far it is; packing_full was said and is no longer so. */
    void (*send)(void *context, bool apart, struct bytes packed);
    size_t (*queued)(void *context);
    int64_t (*distance_us)(void *context); /* there and back; 0: unknown */
    void (*room)(void *context);
    /* Whole messages that go as they are, for a link that is wider than compressing is fast, and
     * what that link delivered lately. NULL where everything is packed. */
    void (*send_plain)(void *context, struct buf *raw);
    int64_t (*rate)(void *context);
};

MUST_USE struct packing *packing_new(const struct packing_plan *plan);
/* What was not sent yet is dropped. */
void packing_free(struct packing *packing);

/* A message begins with what is added next. `apart`: it goes in a stream of its own for what does
 * not compress, so that the other one remembers what does. */
void packing_begin(struct packing *packing, bool apart);
/* Takes the bytes over and leaves the buffer empty. */
void packing_add(struct packing *packing, struct buf *raw);
/* An empty buffer, such as packing_add is given large ones in, gets the room of one that is done.
 */
void packing_reuse(struct packing *packing, struct buf *raw);
/* Sends everything that was added and closes the stream, so that the reader can give its memory
 * back. More may be added later. Does nothing when nothing was added. */
void packing_end(struct packing *packing);
/* Enough is waiting: add no more, if possible, until `room`. */
bool packing_full(struct packing *packing);

/* What was added last went as it is. */
bool packing_is_plain(struct packing *packing);

struct packing_counts {
    uint64_t raw, packed; /* bytes, since it was made */
    int level;
};
struct packing_counts packing_counts(struct packing *packing);
