/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/sum.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    STEP = 256 * 1024, /* stays in a core's own cache between reading and hashing */
    MAX_THREADS = 4,
    THREAD_BLOCKS = 8, /* a thread for fewer costs more than it brings */
};

struct hash128 sum_of_blocks(const struct hash128 *blocks, size_t count)
{
    if (count == 0)
        return hash128_of((struct bytes){(const uint8_t *)"", 0});
    return count == 1 ? blocks[0]
                      : hash128_of((struct bytes){blocks->bytes, count * sizeof *blocks});
}

struct hash128 sum_of(struct bytes content)
{
    if (content.size <= SUM_BLOCK)
        return hash128_of(content);
    AUTO(summer_free) struct summer *summer = summer_new();
    summer_add(summer, content);
    return summer_end(summer);
}

/* --- In pieces ----------------------------------------------------------------------------- */

struct summer {
    struct hasher *hasher;
    size_t within; /* bytes of the block that is open */
    struct hash128 *blocks;
    size_t count, capacity;
};

struct summer *summer_new(void)
{
    struct summer *summer = xcalloc(1, sizeof *summer);
    summer->hasher = hasher_new();
    return summer;
}

void summer_free(struct summer *summer)
{
    if (!summer)
        return;
    hasher_free(summer->hasher);
    free(summer->blocks);
    free(summer);
}

static void close_block(struct summer *summer)
{
    if (summer->count == summer->capacity) {
        summer->capacity = summer->capacity ? summer->capacity * 2 : 4;
        summer->blocks = xreallocarray(summer->blocks, summer->capacity, sizeof *summer->blocks);
    }
    summer->blocks[summer->count++] = hasher_end(summer->hasher);
    hasher_reset(summer->hasher);
    summer->within = 0;
}

void summer_add(struct summer *summer, struct bytes bytes)
{
    while (bytes.size) {
        size_t left = SUM_BLOCK - summer->within;
        size_t step = bytes.size < left ? bytes.size : left;
        hasher_add(summer->hasher, (struct bytes){bytes.data, step});
        summer->within += step;
        bytes = (struct bytes){bytes.data + step, bytes.size - step};
        if (summer->within == SUM_BLOCK)
            close_block(summer);
    }
}

struct hash128 summer_end(struct summer *summer)
{
    if (summer->within)
        close_block(summer);
    return sum_of_blocks(summer->blocks, summer->count);
}

const struct hash128 *summer_blocks(const struct summer *summer, size_t *out_count)
{
    *out_count = summer->count;
    return summer->blocks;
}

/* --- Of a file ----------------------------------------------------------------------------- */

struct task {
    int fd;
    uint64_t size;
    struct sums sums;
    size_t count;
    atomic_size_t next; /* the block that is to be taken next */
    atomic_int failed;  /* 0, an errno, or -1 for the end of the file */
};

static bool sum_block(struct task *task, size_t index, struct hasher *hasher, uint8_t *room)
{
    uint64_t at = (uint64_t)index * SUM_BLOCK;
    uint64_t end = task->size - at < SUM_BLOCK ? task->size : at + SUM_BLOCK;
    hasher_reset(hasher);
    while (at < end) {
        size_t want = end - at < STEP ? (size_t)(end - at) : STEP;
        ssize_t got = pread(task->fd, room, want, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            atomic_store(&task->failed, got < 0 ? errno : -1);
            return false;
        }
        hasher_add(hasher, (struct bytes){room, (size_t)got});
        at += (uint64_t)got;
    }
    task->sums.blocks[index] = hasher_end(hasher);
    return true;
}

static void *sum_blocks(void *context)
{
    struct task *task = context;
    AUTO(hasher_free) struct hasher *hasher = hasher_new();
    AUTO(mem_free) uint8_t *room = xmalloc(STEP);
    for (size_t i; (i = atomic_fetch_add(&task->next, 1)) < task->count;)
        if (!(task->sums.known && task->sums.known[i]) &&
            (atomic_load(&task->failed) || !sum_block(task, i, hasher, room)))
            break;
    return NULL;
}

static size_t missing(const struct task *task)
{
    size_t count = task->count;
    for (size_t i = 0; task->sums.known && i < task->count; i++)
        count -= task->sums.known[i];
    return count;
}

bool sum_missing(int fd, uint64_t size, const struct sums *sums, struct hash128 *out,
                 struct error *err)
{
    if (size > SUM_FILE_MAX)
        return error_set(err, ERROR_LIMIT, "a file of more than 4 TiB is not synced");
    struct task task = {.fd = fd, .size = size, .sums = *sums, .count = sum_block_count(size)};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = cores < MAX_THREADS ? (size_t)cores : MAX_THREADS;
    size_t useful = missing(&task) / THREAD_BLOCKS;
    pthread_t threads[MAX_THREADS];
    size_t started = 0;
    while (started + 1 < wanted && started + 1 < useful &&
           pthread_create(&threads[started], NULL, sum_blocks, &task) == 0)
        started++;
    sum_blocks(&task);
    while (started)
        pthread_join(threads[--started], NULL);
    int failed = atomic_load(&task.failed);
    if (failed > 0)
        return error_os(err, failed, "read");
    if (failed)
        return error_set(err, ERROR_CONFLICT, "the file became shorter while it was read");
    *out = sum_of_blocks(task.sums.blocks, task.count);
    return true;
}

bool sum_file(int fd, uint64_t size, struct hash128 *out, struct hash128 **out_blocks,
              struct error *err)
{
    size_t count = size > SUM_FILE_MAX ? 0 : sum_block_count(size);
    AUTO(mem_free) struct hash128 *blocks = xcalloc(count + 1, sizeof *blocks);
    if (!sum_missing(fd, size, &(struct sums){.blocks = blocks}, out, err))
        return false;
    if (out_blocks)
        *out_blocks = TAKE(blocks);
    return true;
}
