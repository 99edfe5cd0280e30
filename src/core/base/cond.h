/* SPDX-License-Identifier: Apache-2.0 */
/* A condition variable whose deadlines are those of mono_ms: setting the wall clock moves none. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

static inline void cond_init_mono(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* For pthread_cond_timedwait. */
static inline struct timespec cond_deadline(int64_t at_ms)
{
    return (struct timespec){.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
}
