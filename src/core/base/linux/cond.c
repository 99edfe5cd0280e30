/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cond.h"

#include <errno.h>

void cond_init_mono(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t at_ms)
{
    struct timespec until = cond_deadline(at_ms);
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}
