/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/chunk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    MIN_AVERAGE = 8 * 1024,
    MAX_AVERAGE = 256 * 1024,
    SPREAD = 4, /* pieces are between average / SPREAD and average * SPREAD */
    WINDOW = 2 * 1024 * 1024,
};

struct scan {
    int fd;
    uint64_t size;   /* of the file */
    uint64_t at;     /* where in the file the next piece begins */
    uint8_t *window; /* bytes from `at` on, beginning at `head` */
    size_t head, filled;
    uint64_t read;         /* how far the file was read */
    struct summer *summer; /* of all that is read; NULL when the blocks are known */
    struct hash128 *blocks;
    uint64_t gear[256];
    uint32_t average;
    const struct chunk_list *old;
    uint32_t next_old;    /* the old piece that is expected next */
    uint64_t *old_offset; /* of each old piece, once the index is needed */
    uint32_t *index;      /* piece + 1 by hash, open addressing */
    size_t index_size;
    uint64_t old_at; /* offset of next_old */
    struct chunk_result *out;
    uint32_t capacity;
    size_t segment_capacity;
};

static uint32_t average_for(uint64_t size)
{
    uint32_t average = MIN_AVERAGE;
    while (average < MAX_AVERAGE && (uint64_t)average * 16384 <= size)
        average *= 2;
    return average;
}

static void gear_fill(uint64_t gear[256])
{
    uint64_t state = UINT64_C(0x1d8e4e27c47d124f);
    for (int i = 0; i < 256; i++) {
        state += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = state;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        gear[i] = z ^ z >> 31;
    }
}

/* How long the piece is that begins at `data`; all of it when no border is found. */
static size_t find_border(const struct scan *scan, const uint8_t *data, size_t size)
{
    size_t least = scan->average / SPREAD, most = (size_t)scan->average * SPREAD;
    if (size <= least)
        return size;
    if (size > most)
        size = most;
    unsigned bits = (unsigned)__builtin_ctz(scan->average);
    uint64_t strict = ~UINT64_C(0) << (64 - bits - 2), loose = ~UINT64_C(0) << (64 - bits + 2);
    size_t middle = size < scan->average ? size : scan->average;
    uint64_t hash = 0;
    size_t at = least;
    for (; at < middle; at++) {
        hash = (hash << 1) + scan->gear[data[at]];
        if (!(hash & strict))
            return at + 1;
    }
    for (; at < size; at++) {
        hash = (hash << 1) + scan->gear[data[at]];
        if (!(hash & loose))
            return at + 1;
    }
    return size;
}

static bool fill(struct scan *scan, struct error *err)
{
    size_t have = scan->filled - scan->head;
    if (have >= (size_t)scan->average * SPREAD || scan->read == scan->size)
        return true;
    memmove(scan->window, scan->window + scan->head, have);
    scan->head = 0;
    scan->filled = have;
    while (scan->filled < WINDOW && scan->read < scan->size) {
        uint64_t left = scan->size - scan->read;
        size_t want = WINDOW - scan->filled;
        ssize_t got = pread(scan->fd, scan->window + scan->filled,
                            left < want ? (size_t)left : want, (off_t)scan->read);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read");
        if (got == 0)
            return error_set(err, ERROR_CONFLICT, "the file became shorter while it was read");
        if (scan->summer)
            summer_add(scan->summer, (struct bytes){scan->window + scan->filled, (size_t)got});
        scan->filled += (size_t)got;
        scan->read += (uint64_t)got;
    }
    return true;
}

static void add_segment(struct scan *scan, uint64_t old_offset, uint64_t size)
{
    struct chunk_result *out = scan->out;
    struct chunk_segment *last = out->segment_count ? &out->segments[out->segment_count - 1] : NULL;
    bool literal = old_offset == CHUNK_LITERAL;
    if (literal)
        out->literal_bytes += size;
    if (last && (literal ? last->old_offset == CHUNK_LITERAL
                         : last->old_offset != CHUNK_LITERAL &&
                               last->old_offset + last->size == old_offset)) {
        last->size += size;
        return;
    }
    if (out->segment_count == scan->segment_capacity) {
        scan->segment_capacity = scan->segment_capacity ? scan->segment_capacity * 2 : 16;
        out->segments = xreallocarray(out->segments, scan->segment_capacity, sizeof *out->segments);
    }
    assert(out->segments);
    out->segments[out->segment_count++] = (struct chunk_segment){old_offset, size};
}

static void add_chunk(struct scan *scan, struct hash128 hash, size_t size)
{
    struct chunk_list *list = scan->out->list;
    if (list->count == scan->capacity) {
        scan->capacity *= 2;
        list = xrealloc(list, sizeof *list + (size_t)scan->capacity * sizeof *list->items);
        scan->out->list = list;
    }
    list->items[list->count++] = (struct chunk){(uint32_t)size, hash};
    scan->at += size;
    if (size <= scan->filled - scan->head) {
        scan->head += size;
    } else { /* passed over without being read */
        scan->head = scan->filled = 0;
        scan->read = scan->at;
    }
}

static void build_index(struct scan *scan)
{
    const struct chunk_list *old = scan->old;
    scan->index_size = 64;
    while (scan->index_size < (size_t)old->count * 2)
        scan->index_size *= 2;
    scan->index = xcalloc(scan->index_size, sizeof *scan->index);
    scan->old_offset = xcalloc(old->count, sizeof *scan->old_offset);
    uint64_t offset = 0;
    for (uint32_t i = 0; i < old->count; i++) {
        scan->old_offset[i] = offset;
        offset += old->items[i].size;
        size_t slot = read_u64(old->items[i].hash.bytes) & (scan->index_size - 1);
        while (scan->index[slot] &&
               !hash128_equal(old->items[scan->index[slot] - 1].hash, old->items[i].hash))
            slot = (slot + 1) & (scan->index_size - 1);
        if (!scan->index[slot]) /* a repeated piece is found where it was first */
            scan->index[slot] = i + 1;
    }
}

/* The old piece with this content, or the count of old pieces. */
static uint32_t find_old(struct scan *scan, struct hash128 hash, size_t size)
{
    const struct chunk_list *old = scan->old;
    if (!scan->index)
        build_index(scan);
    size_t slot = read_u64(hash.bytes) & (scan->index_size - 1);
    for (; scan->index[slot]; slot = (slot + 1) & (scan->index_size - 1)) {
        uint32_t i = scan->index[slot] - 1;
        if (old->items[i].size == size && hash128_equal(old->items[i].hash, hash))
            return i;
    }
    return old->count;
}

/* The expected old piece is where it was, and in blocks that did not change. */
static bool pass_over(struct scan *scan)
{
    const struct chunk_list *old = scan->old;
    if (!old || scan->next_old >= old->count || scan->old_at != scan->at)
        return false;
    const struct chunk *expected = &old->items[scan->next_old];
    uint64_t end = scan->at + expected->size;
    if (end > scan->size)
        return false;
    const struct hash128 *blocks = chunk_blocks(old);
    for (uint64_t at = scan->at / SUM_BLOCK; at * SUM_BLOCK < end; at++)
        if (!hash128_equal(blocks[at], scan->blocks[at]))
            return false;
    add_segment(scan, scan->at, expected->size);
    add_chunk(scan, expected->hash, expected->size);
    scan->old_at = scan->at;
    scan->next_old++;
    return true;
}

/* The expected old piece, if it is right here. */
static bool take_expected(struct scan *scan)
{
    const struct chunk_list *old = scan->old;
    if (!old || scan->next_old >= old->count)
        return false;
    const struct chunk *expected = &old->items[scan->next_old];
    if (expected->size > scan->filled - scan->head)
        return false;
    struct bytes bytes = {scan->window + scan->head, expected->size};
    if (!hash128_equal(hash128_of(bytes), expected->hash))
        return false;
    add_segment(scan, scan->old_at, expected->size);
    add_chunk(scan, expected->hash, expected->size);
    scan->old_at += expected->size;
    scan->next_old++;
    return true;
}

static void take_next(struct scan *scan)
{
    size_t size = find_border(scan, scan->window + scan->head, scan->filled - scan->head);
    struct hash128 hash = hash128_of((struct bytes){scan->window + scan->head, size});
    uint32_t found = scan->old ? find_old(scan, hash, size) : 0;
    if (scan->old && found < scan->old->count) {
        add_segment(scan, scan->old_offset[found], size);
        scan->next_old = found + 1;
        scan->old_at = scan->old_offset[found] + size;
    } else {
        add_segment(scan, CHUNK_LITERAL, size);
        if (scan->old && scan->next_old < scan->old->count) { /* most likely changed in place */
            scan->old_at += scan->old->items[scan->next_old].size;
            scan->next_old++;
        }
    }
    add_chunk(scan, hash, size);
}

static bool scan_all(struct scan *scan, const atomic_bool *stop, struct error *err)
{
    while (scan->at < scan->size) {
        if (stop && atomic_load_explicit(stop, memory_order_relaxed))
            return error_set(err, ERROR_CANCELLED, "stopped");
        if (pass_over(scan))
            continue;
        if (!fill(scan, err))
            return false;
        if (!take_expected(scan))
            take_next(scan);
    }
    return true;
}

/* Puts the blocks behind the pieces and gives back what was too much. */
static void complete(struct scan *scan, struct hash128 content)
{
    struct chunk_list *list = scan->out->list;
    list = xrealloc(list, chunk_list_size(scan->size, list->count));
    list->content = content;
    list->size = scan->size;
    memcpy(chunk_blocks(list), scan->blocks, sum_block_count(scan->size) * sizeof *scan->blocks);
    scan->out->list = list;
}

bool chunk_scan(int fd, uint64_t size, const struct chunk_list *old, const atomic_bool *stop,
                struct chunk_result *out, struct error *err)
{
    *out = (struct chunk_result){0};
    struct hash128 content;
    AUTO(mem_free) struct hash128 *blocks = NULL;
    AUTO(summer_free) struct summer *summer = NULL;
    AUTO(mem_free) uint8_t *window = xmalloc(WINDOW);
    struct scan scan = {.fd = fd, .size = size, .window = window, .out = out};
    if (size > SUM_FILE_MAX)
        return error_set(err, ERROR_LIMIT, "a file of more than 4 TiB is not synced");
    if (!old || !old->count)
        scan.summer = summer = summer_new();
    else if (!sum_file(fd, size, &content, &blocks, err))
        return false;
    scan.old = scan.summer ? NULL : old;
    scan.blocks = blocks;
    scan.average = average_for(scan.old ? old->size : size);
    if (scan.old && size / 8 > old->size)
        scan.average = average_for(size);
    gear_fill(scan.gear);
    scan.capacity = (uint32_t)(size / scan.average) + 16;
    out->list = xmalloc(sizeof *out->list + (size_t)scan.capacity * sizeof *out->list->items);
    out->list->count = 0;
    bool done = scan_all(&scan, stop, err);
    free(scan.index);
    free(scan.old_offset);
    if (!done) {
        chunk_result_dispose(out);
        return false;
    }
    if (summer) {
        size_t count;
        content = summer_end(summer);
        scan.blocks = (struct hash128 *)summer_blocks(summer, &count);
    }
    complete(&scan, content);
    return true;
}

void chunk_result_dispose(struct chunk_result *result)
{
    free(result->list);
    free(result->segments);
    *result = (struct chunk_result){0};
}
