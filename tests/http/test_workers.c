/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "http/workers.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
    atomic_int passed, entered;
};

#define GATE                                                                                       \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER                      \
    }

static void pass(void *context)
{
    struct gate *gate = context;
    atomic_fetch_add(&gate->entered, 1);
    pthread_mutex_lock(&gate->lock);
    while (!gate->open)
        pthread_cond_wait(&gate->opened, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    atomic_fetch_add(&gate->passed, 1);
}

static void open_gate(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

static void a_full_queue_refuses_what_is_new_but_not_what_was_admitted(void **state)
{
    struct gate gate = GATE;
    int busy = 0, queued = 0, taken = 0;
    struct workers *workers = workers_new(1, 2);
    while (workers_submit(workers, pass, &gate))
        taken++;
    /* One may have been begun already, two wait. */
    assert_in_range(taken, 2, 3);
    assert_true(workers_resubmit(workers, pass, &gate));
    workers_counts(workers, &busy, &queued);
    assert_int_equal(busy + queued, taken + 1);
    open_gate(&gate);
    workers_end(workers);
    assert_int_equal(atomic_load(&gate.passed), taken + 1); /* the end waits for all of it */
    workers_free(workers);
}

static void after_the_end_nothing_is_taken(void **state)
{
    struct gate gate = GATE;
    struct workers *workers = workers_new(2, 4);
    workers_end(workers);
    assert_false(workers_submit(workers, pass, &gate));
    assert_false(workers_resubmit(workers, pass, &gate));
    workers_free(workers);
    assert_int_equal(atomic_load(&gate.entered), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_refuses_what_is_new_but_not_what_was_admitted),
        cmocka_unit_test(after_the_end_nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
