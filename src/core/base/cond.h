/* SPDX-License-Identifier: Apache-2.0 */
/* A condition variable whose deadlines are those of mono_ms: setting the wall clock moves none. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

void cond_init_mono(pthread_cond_t *cond);

/* False when the deadline has passed. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t at_ms);

/* For pthread_cond_timedwait, which takes this clock's time on Linux only. */
static inline struct timespec cond_deadline(int64_t at_ms)
{
    return (struct timespec){.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
}
