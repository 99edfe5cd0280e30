/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/outbox.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/frame.h"

enum { CHUNK_SIZE = 256 * 1024 - 64 };

struct chunk {
    struct chunk *next;
    size_t begin, end; /* of the frames held */
    uint8_t data[CHUNK_SIZE];
};

static void chunks_free(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void outbox_dispose(struct outbox *outbox)
{
    chunks_free(outbox->first);
    free(outbox->spare);
    *outbox = (struct outbox){0};
}

static struct chunk *chunk_add(struct outbox *outbox)
{
    struct chunk *chunk = outbox->spare ? TAKE(outbox->spare) : xmalloc(sizeof *chunk);
    chunk->next = NULL;
    chunk->begin = chunk->end = 0;
    if (outbox->last)
        outbox->last->next = chunk;
    else
        outbox->first = chunk;
    outbox->last = chunk;
    return chunk;
}

uint8_t *outbox_reserve(struct outbox *outbox, size_t size)
{
    assert(size <= FRAME_PAYLOAD_MAX);
    struct chunk *chunk = outbox->last;
    if (!chunk || CHUNK_SIZE - chunk->end < FRAME_HEADER_SIZE + size)
        chunk = chunk_add(outbox);
    return chunk->data + chunk->end + FRAME_HEADER_SIZE;
}

void outbox_commit(struct outbox *outbox, unsigned type, uint32_t channel, size_t size)
{
    struct chunk *chunk = outbox->last;
    size_t whole = FRAME_HEADER_SIZE + size;
    assert(chunk && CHUNK_SIZE - chunk->end >= whole);
    frame_header(chunk->data + chunk->end, type, size, channel, (uint32_t)outbox->next_number);
    if (!outbox->cursor) {
        outbox->cursor = chunk;
        outbox->cursor_at = chunk->end;
    }
    chunk->end += whole;
    outbox->next_number++;
    outbox->bytes += whole;
    outbox->unsent_bytes += whole;
}

static void chunk_drop_first(struct outbox *outbox)
{
    struct chunk *chunk = outbox->first;
    outbox->first = chunk->next;
    if (!outbox->first)
        outbox->last = NULL;
    if (outbox->cursor == chunk) {
        outbox->cursor = outbox->first;
        outbox->cursor_at = outbox->first ? outbox->first->begin : 0;
    }
    if (outbox->spare)
        free(chunk);
    else
        outbox->spare = chunk;
}

size_t outbox_acked(struct outbox *outbox, uint64_t number)
{
    size_t before = outbox->bytes;
    assert(number <= outbox->next_number);
    while (outbox->first_number < number) {
        struct chunk *chunk = outbox->first;
        assert(chunk);
        size_t size = frame_size(chunk->data + chunk->begin);
        if (outbox->cursor == chunk && outbox->cursor_at == chunk->begin) {
            outbox->cursor_at += size; /* known by the peer before it was sent on this stream */
            outbox->unsent_bytes -= size;
        }
        chunk->begin += size;
        outbox->bytes -= size;
        outbox->first_number++;
        if (outbox->cursor == chunk && outbox->cursor_at == chunk->end) {
            outbox->cursor = chunk->next;
            outbox->cursor_at = chunk->next ? chunk->next->begin : 0;
        }
        if (chunk->begin == chunk->end) {
            if (chunk->next || outbox->first_number == outbox->next_number)
                chunk_drop_first(outbox);
        }
    }
    if (outbox->sent_number < number)
        outbox->sent_number = number;
    if (outbox->high_number < number)
        outbox->high_number = number;
    return before - outbox->bytes;
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->cursor = outbox->first;
    outbox->cursor_at = outbox->first ? outbox->first->begin : 0;
    outbox->frame_left = 0;
    outbox->sent_number = outbox->first_number;
    outbox->unsent_bytes = outbox->bytes;
}

size_t outbox_runs(const struct outbox *outbox, struct bytes *runs, size_t count, size_t limit)
{
    size_t filled = 0;
    size_t at = outbox->cursor_at;
    for (const struct chunk *chunk = outbox->cursor; chunk && filled < count && limit > 0;) {
        size_t size = chunk->end - at;
        if (size > limit)
            size = limit;
        if (size > 0)
            runs[filled++] = (struct bytes){chunk->data + at, size};
        limit -= size;
        chunk = chunk->next;
        at = chunk ? chunk->begin : 0;
    }
    return filled;
}

size_t outbox_sent(struct outbox *outbox, size_t size)
{
    size_t repeated = 0;
    assert(size <= outbox->unsent_bytes);
    outbox->unsent_bytes -= size;
    while (size > 0) {
        struct chunk *chunk = outbox->cursor;
        assert(chunk);
        if (outbox->frame_left == 0)
            outbox->frame_left = frame_size(chunk->data + outbox->cursor_at);
        size_t step = size < outbox->frame_left ? size : outbox->frame_left;
        if (outbox->sent_number < outbox->high_number)
            repeated += step;
        outbox->cursor_at += step;
        outbox->frame_left -= step;
        size -= step;
        if (outbox->frame_left == 0)
            outbox->sent_number++;
        if (outbox->cursor_at == chunk->end) {
            outbox->cursor = chunk->next;
            outbox->cursor_at = chunk->next ? chunk->next->begin : 0;
        }
    }
    if (outbox->high_number < outbox->sent_number)
        outbox->high_number = outbox->sent_number;
    return repeated;
}
