/* SPDX-License-Identifier: Apache-2.0 */
/* What was said and is not yet acknowledged: whole encoded frames in a list of chunks, so that
 * nothing moves, one write takes many frames, and a cut costs a step back of the cursor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct chunk;

struct outbox {
    struct chunk *first, *last; /* oldest first */
    struct chunk *cursor;       /* the next byte to send is cursor_at in here; NULL: at the end */
    size_t cursor_at;
    size_t frame_left; /* of the frame that the cursor is inside of */
    struct chunk *spare;
    uint64_t first_number, next_number; /* of the frames held: [first, next) */
    uint64_t sent_number;               /* frames wholly sent on this stream: [first, sent) */
    uint64_t high_number;               /* the most ever sent on any */
    size_t bytes, unsent_bytes;
};

void outbox_dispose(struct outbox *outbox);

/* Room for a frame with `size` bytes of payload; what is returned is where the payload goes.
 * Then outbox_commit, with no more than that. */
uint8_t *outbox_reserve(struct outbox *outbox, size_t size);
void outbox_commit(struct outbox *outbox, unsigned type, uint32_t channel, size_t size);

/* Drops frames numbered below `number`, which must be in [first, next]; how many bytes went. */
size_t outbox_acked(struct outbox *outbox, uint64_t number);

/* Back to the first frame that is held. */
void outbox_rewind(struct outbox *outbox);

/* Up to `count` runs from the cursor on, at most `limit` bytes. */
size_t outbox_runs(const struct outbox *outbox, struct bytes *runs, size_t count, size_t limit);
/* The cursor moves on; how many of the bytes had been sent on an earlier stream. */
size_t outbox_sent(struct outbox *outbox, size_t size);
