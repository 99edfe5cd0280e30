/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <pthread.h>
#include <time.h>

#include "api/tidy.h"
#include "base/clock.h"

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int times, more; /* more: how often there is something left */
    int64_t last_ms;
};

static bool note(void *context)
{
    struct seen *seen = context;
    pthread_mutex_lock(&seen->lock);
    seen->times++;
    seen->last_ms = mono_ms();
    bool more = seen->more > 0 && seen->more-- > 0;
    pthread_cond_signal(&seen->changed);
    pthread_mutex_unlock(&seen->lock);
    return more;
}

static void await(struct seen *seen, int times)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&seen->lock);
    while (seen->times < times)
        if (pthread_cond_timedwait(&seen->changed, &seen->lock, &until) != 0)
            break;
    assert_int_equal(seen->times, times);
    pthread_mutex_unlock(&seen->lock);
}

#define SEEN                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0                               \
    }

static void it_is_tidied_once_when_work_has_ended(void **state)
{
    (void)state;
    struct seen seen = SEEN;
    struct tidy *tidy = tidy_new(5, note, &seen);
    int64_t last_ms = mono_ms();
    for (int i = 0; i < 100; i++)
        tidy_worked(tidy);
    await(&seen, 1);
    assert_true(seen.last_ms >= last_ms + 5);
    tidy_worked(tidy);
    await(&seen, 2);
    tidy_free(tidy);
    assert_int_equal(seen.times, 2);
}

static void it_goes_on_while_there_is_something_left(void **state)
{
    (void)state;
    struct seen seen = SEEN;
    seen.more = 2;
    struct tidy *tidy = tidy_new(5, note, &seen);
    tidy_worked(tidy);
    await(&seen, 3);
    tidy_free(tidy);
    assert_int_equal(seen.times, 3);
}

static void it_ends_at_once_while_it_waits(void **state)
{
    (void)state;
    struct seen seen = SEEN;
    struct tidy *tidy = tidy_new(3600 * 1000, note, &seen);
    tidy_worked(tidy);
    tidy_free(tidy);
    assert_int_equal(seen.times, 0);
    tidy_free(tidy_new(1, note, &seen));
    assert_int_equal(seen.times, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_tidied_once_when_work_has_ended),
        cmocka_unit_test(it_goes_on_while_there_is_something_left),
        cmocka_unit_test(it_ends_at_once_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
