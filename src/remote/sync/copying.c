/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/copying.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "sync/sum.h"

enum { STEP = 256 * 1024, MAX_THREADS = 4, THREAD_BYTES = 16 * 1024 * 1024 };

bool write_at(int fd, uint64_t at, struct bytes bytes, struct error *err)
{
    while (bytes.size) {
        ssize_t put = pwrite(fd, bytes.data, bytes.size, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_os(err, errno, "write");
        at += (uint64_t)put;
        bytes = (struct bytes){bytes.data + put, bytes.size - (size_t)put};
    }
    return true;
}

/* For one thread. Reading and writing is faster than copy_file_range where that shares no blocks:
 * several threads can do it, and the bytes are summed while they are in the cache of a core. */
struct part {
    struct copying copying;
    pthread_t thread;
    bool good;
    struct error err;
};

/* Sums what is copied, as far as it makes whole blocks of the new file. */
static void sum_copied(struct copying *copying, struct hasher *hasher, bool *whole,
                       struct bytes bytes)
{
    uint64_t within = copying->to_at % SUM_BLOCK;
    if (within == 0) {
        hasher_reset(hasher);
        *whole = true;
    }
    hasher_add(hasher, bytes);
    if (within + bytes.size == SUM_BLOCK && *whole) {
        uint64_t block = copying->to_at / SUM_BLOCK;
        copying->sums->blocks[block] = hasher_end(hasher);
        copying->sums->known[block] = true;
    }
}

static bool copy_part(struct copying *copying, struct error *err)
{
    AUTO(mem_free) uint8_t *window = xmalloc(STEP);
    AUTO(hasher_free) struct hasher *hasher = hasher_new();
    bool whole = false;
    while (copying->size) {
        uint64_t border = SUM_BLOCK - copying->to_at % SUM_BLOCK;
        size_t want = copying->size < STEP ? (size_t)copying->size : STEP;
        if (want > border)
            want = (size_t)border;
        ssize_t got = pread(copying->from, window, want, (off_t)copying->from_at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read");
        if (got == 0)
            return error_set(err, ERROR_CONFLICT, "the old content is shorter than expected");
        struct bytes bytes = {window, (size_t)got};
        if (copying->sums)
            sum_copied(copying, hasher, &whole, bytes);
        if (!write_at(copying->to, copying->to_at, bytes, err))
            return false;
        copying->from_at += (uint64_t)got;
        copying->to_at += (uint64_t)got;
        copying->size -= (uint64_t)got;
    }
    return true;
}

static void *run_part(void *context)
{
    struct part *part = context;
    part->good = copy_part(&part->copying, &part->err);
    return NULL;
}

/* Gives the first part of what is left to a part of its own, which ends with a block. */
static void split(struct copying *left, uint64_t size, struct copying *out)
{
    uint64_t end = left->to_at + size;
    size -= end % SUM_BLOCK;
    *out = *left;
    out->size = size;
    left->from_at += size;
    left->to_at += size;
    left->size -= size;
}

bool copy_between(const struct copying *copying, struct error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t count = copying->size / THREAD_BYTES;
    if (count > MAX_THREADS)
        count = MAX_THREADS;
    if (count > (uint64_t)cores)
        count = (uint64_t)cores;
    struct part parts[MAX_THREADS];
    struct part rest = {.copying = *copying};
    unsigned started = 0;
    while (started + 1 < count) {
        struct part *part = &parts[started];
        struct copying before = rest.copying;
        split(&rest.copying, copying->size / count, &part->copying);
        if (pthread_create(&part->thread, NULL, run_part, part) != 0) {
            rest.copying = before;
            break;
        }
        started++;
    }
    run_part(&rest);
    bool good = rest.good;
    if (!good)
        *err = rest.err;
    while (started--) {
        pthread_join(parts[started].thread, NULL);
        if (good && !parts[started].good)
            *err = parts[started].err;
        good = good && parts[started].good;
    }
    return good;
}
