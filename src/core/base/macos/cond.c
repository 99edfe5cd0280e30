/* SPDX-License-Identifier: Apache-2.0 */
/* No condition variable keeps the monotonic clock's time there, but one can wait for a while. */
#include "base/cond.h"

#include <errno.h>

#include "base/clock.h"

void cond_init_mono(pthread_cond_t *cond)
{
    pthread_cond_init(cond, NULL);
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t at_ms)
{
    int64_t left_ms = at_ms - mono_ms();
    struct timespec wait = cond_deadline(left_ms > 0 ? left_ms : 0);
    return pthread_cond_timedwait_relative_np(cond, lock, &wait) != ETIMEDOUT;
}
