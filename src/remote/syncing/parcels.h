/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way between two threads: a line of buffers, so that they are handed on without
 * being copied together, and so that memory once used for that is used again. No locks. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct parcel {
    struct parcel *next;
    struct buf bytes;
};
struct parcels {
    struct parcel *first, *last;
    size_t size; /* bytes in all */
    size_t count;
};

/* At the end; the bytes are taken over. */
void parcels_add(struct parcels *parcels, struct buf *bytes);
/* A copy of them at the end, in parcels of at most `most` bytes if they are not more themselves.
 * New parcels come from `spare` as long as there are any; it may be NULL. */
void parcels_append(struct parcels *parcels, struct bytes bytes, size_t most,
                    struct parcels *spare);
/* The first, or NULL; the caller's. */
MUST_USE struct parcel *parcels_take(struct parcels *parcels);
/* Takes over a parcel that is done with; keeps `most` at most, and only large ones. */
void parcels_keep(struct parcels *spare, struct parcel *parcel, size_t most);
void parcel_free(struct parcel *parcel);
void parcels_clear(struct parcels *parcels);
