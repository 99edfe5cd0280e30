/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/clock.h"
#include "base/sleeper.h"

struct work {
    struct sleeper sleeper;
    pthread_cond_t seen;
    int64_t at_ms;
    int asked, done, looked;
};

/* Does what it is asked to, and counts how often it looked. */
static void *work_run(void *context)
{
    struct work *work = context;
    pthread_mutex_lock(&work->sleeper.lock);
    while (sleeper_wait(&work->sleeper, work->at_ms)) {
        work->done = work->asked;
        work->looked++;
        pthread_cond_signal(&work->seen);
    }
    pthread_mutex_unlock(&work->sleeper.lock);
    return NULL;
}

static struct work work_new(int64_t at_ms)
{
    struct work work = {.at_ms = at_ms};
    sleeper_init(&work.sleeper);
    pthread_cond_init(&work.seen, NULL);
    return work;
}

static void it_does_what_it_is_woken_for(void **state)
{
    struct work work = work_new(INT64_MAX);
    assert_true(sleeper_start(&work.sleeper, work_run, &work));
    pthread_mutex_lock(&work.sleeper.lock);
    for (int i = 1; i <= 3; i++) {
        work.asked = i;
        while (work.done != i) { /* the first may come before it sleeps */
            struct timespec soon;
            clock_gettime(CLOCK_REALTIME, &soon);
            soon.tv_nsec += soon.tv_nsec < 900000000 ? 10000000 : 0;
            sleeper_wake(&work.sleeper);
            pthread_cond_timedwait(&work.seen, &work.sleeper.lock, &soon);
        }
    }
    pthread_mutex_unlock(&work.sleeper.lock);
    sleeper_end(&work.sleeper);
    assert_true(work.looked >= 3);
    pthread_cond_destroy(&work.seen);
    (void)state;
}

static void it_looks_again_when_the_time_has_come(void **state)
{
    struct work work = work_new(mono_ms());
    assert_true(sleeper_start(&work.sleeper, work_run, &work));
    pthread_mutex_lock(&work.sleeper.lock);
    while (work.looked == 0)
        pthread_cond_wait(&work.seen, &work.sleeper.lock);
    pthread_mutex_unlock(&work.sleeper.lock);
    sleeper_end(&work.sleeper);
    pthread_cond_destroy(&work.seen);
    (void)state;
}

static void one_that_sleeps_for_ever_and_one_that_never_began_end(void **state)
{
    struct work asleep = work_new(INT64_MAX), never = work_new(INT64_MAX);
    assert_true(sleeper_start(&asleep.sleeper, work_run, &asleep));
    assert_true(sleeper_start(&asleep.sleeper, work_run, &asleep)); /* it runs already */
    sleeper_end(&asleep.sleeper);
    sleeper_end(&never.sleeper);
    pthread_cond_destroy(&asleep.seen);
    pthread_cond_destroy(&never.seen);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_it_is_woken_for),
        cmocka_unit_test(it_looks_again_when_the_time_has_come),
        cmocka_unit_test(one_that_sleeps_for_ever_and_one_that_never_began_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
