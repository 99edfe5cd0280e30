/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>
#include <time.h>

#include "store/store_internal.h"

struct local {
    struct store base;
    char *root;    /* without a slash at its end */
    char *scratch; /* this process's own folder  */
    int scratch_fd;
    atomic_ulong next_scratch;
    int64_t keep_ms[STORE_CLASSES];
    int64_t reserve_bytes;
    struct {
        _Atomic int64_t bytes, files;
    } classes[STORE_CLASSES]; /* counted at the start and at each sweep, kept up in between */
};

static inline int64_t file_ms(struct timespec at)
{
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* Counts what is there. */
void local_count(struct local *self);
bool local_store_sweep(struct store *store, int64_t now_ms, int64_t *out_removed,
                       struct error *err);
