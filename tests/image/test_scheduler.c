/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "image/scheduler.h"

/* A thread that enters, notes in which order, and leaves. */
struct visitor {
    struct scheduler *scheduler;
    struct ticket ticket;
    pthread_t thread;
    struct error err;
    bool entered;
    int *order, place;
    pthread_mutex_t *lock;
};

static void *visit(void *context)
{
    struct visitor *visitor = context;
    visitor->entered = scheduler_enter(visitor->scheduler, &visitor->ticket, &visitor->err);
    if (!visitor->entered)
        return NULL;
    pthread_mutex_lock(visitor->lock);
    visitor->place = ++*visitor->order;
    pthread_mutex_unlock(visitor->lock);
    scheduler_leave(visitor->scheduler, &visitor->ticket);
    return NULL;
}

static void await_waiting(struct scheduler *scheduler, int count)
{
    while (scheduler_state(scheduler).waiting != count)
        sched_yield();
}

static void start(struct visitor *visitor, struct scheduler *scheduler, enum priority priority,
                  int expect_waiting)
{
    visitor->scheduler = scheduler;
    visitor->ticket.priority = priority;
    pthread_create(&visitor->thread, NULL, visit, visitor);
    await_waiting(scheduler, expect_waiting);
}

static struct scheduler *make(int streams, int queue, size_t memory)
{
    return scheduler_new(
        &(struct scheduler_settings){.streams = streams, .queue = queue, .memory_bytes = memory});
}

static void a_person_goes_before_a_batch_and_the_first_before_the_second(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket first = {0};
    struct error err;
    int order = 0;
    assert_ok(scheduler_enter(scheduler, &first, &err), &err);
    const enum priority priorities[] = {PRIORITY_BATCH, PRIORITY_PERSON, PRIORITY_BATCH,
                                        PRIORITY_PERSON};
    const int places[] = {3, 1, 4, 2};
    struct visitor visitors[4] = {0};
    for (int i = 0; i < 4; i++) {
        visitors[i].order = &order;
        visitors[i].lock = &lock;
        start(&visitors[i], scheduler, priorities[i], i + 1);
    }
    scheduler_leave(scheduler, &first);
    for (int i = 0; i < 4; i++) {
        pthread_join(visitors[i].thread, NULL);
        assert_true(visitors[i].entered);
        assert_int_equal(visitors[i].place, places[i]);
    }
    assert_int_equal(scheduler_state(scheduler).served, 5);
    scheduler_free(scheduler);
}

static void lots_send_away_both_who_waits_and_who_comes(void **state)
{
    (void)state;
    enum { ROUNDS = 24 };
    const struct scheduler_settings settings = {.streams = 1, .queue = 1, .draw_lots = true};
    struct scheduler *scheduler = scheduler_new(&settings);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket inside = {0};
    struct error err;
    int order = 0, stayed = 0;
    assert_true(scheduler_enter(scheduler, &inside, &err));
    struct visitor *visitors = calloc(ROUNDS + 1, sizeof *visitors);
    int waits = 0;
    visitors[0] = (struct visitor){.order = &order, .lock = &lock};
    start(&visitors[0], scheduler, PRIORITY_PERSON, 1);
    for (int i = 1; i <= ROUNDS; i++) {
        visitors[i] = (struct visitor){
            .order = &order, .lock = &lock, .scheduler = scheduler, .err = {.text = ""}};
        pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]);
        while (scheduler_state(scheduler).refused != (uint64_t)i)
            sched_yield();
        await_waiting(scheduler, 1);
        bool new_one = scheduler_waits(scheduler, &visitors[i].ticket);
        stayed += !new_one;
        int gone = new_one ? waits : i;
        pthread_join(visitors[gone].thread, NULL);
        assert_false(visitors[gone].entered);
        assert_string_equal(visitors[gone].err.code, "image_busy");
        waits = new_one ? i : waits;
    }
    assert_in_range(stayed, 1, ROUNDS - 1);
    scheduler_leave(scheduler, &inside);
    pthread_join(visitors[waits].thread, NULL);
    assert_true(visitors[waits].entered);
    free(visitors);
    scheduler_free(scheduler);
}

static void a_full_queue_refuses_and_says_when_to_come_back(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 1, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket inside = {0}, late = {0};
    struct error err = {0};
    int order = 0;
    assert_ok(scheduler_enter(scheduler, &inside, &err), &err);
    struct visitor waiting = {.order = &order, .lock = &lock};
    start(&waiting, scheduler, PRIORITY_PERSON, 1);
    assert_false(scheduler_enter(scheduler, &late, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(err.code, "image_busy");
    assert_in_range(scheduler_state(scheduler).retry_after_s, 1, 5);
    assert_int_equal(scheduler_state(scheduler).refused, 1);
    scheduler_leave(scheduler, &inside);
    pthread_join(waiting.thread, NULL);
    assert_true(waiting.entered);
    scheduler_free(scheduler);
}

static void memory_bounds_who_is_inside(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(4, 8, 100);
    struct ticket a = {.memory_bytes = 60}, b = {.memory_bytes = 40},
                  c = {.memory_bytes = 10, .deadline_ms = mono_ms() + 20},
                  huge = {.memory_bytes = 500};
    struct error err;
    assert_ok(scheduler_enter(scheduler, &a, &err), &err);
    assert_ok(scheduler_enter(scheduler, &b, &err), &err);
    assert_false(scheduler_enter(scheduler, &c, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    scheduler_leave(scheduler, &a);
    c.deadline_ms = 0;
    assert_ok(scheduler_enter(scheduler, &c, &err), &err);
    scheduler_leave(scheduler, &b);
    scheduler_leave(scheduler, &c);
    assert_ok(scheduler_enter(scheduler, &huge, &err), &err); /* alone, it may try */
    scheduler_leave(scheduler, &huge);
    scheduler_free(scheduler);
}

static void whoever_wants_to_be_alone_is(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(4, 8, 0);
    struct ticket alone = {.alone = true}, other = {.deadline_ms = mono_ms() + 20};
    struct error err;
    assert_ok(scheduler_enter(scheduler, &alone, &err), &err);
    assert_false(scheduler_enter(scheduler, &other, &err));
    scheduler_leave(scheduler, &alone);
    other.deadline_ms = 0;
    assert_ok(scheduler_enter(scheduler, &other, &err), &err);
    alone.deadline_ms = mono_ms() + 20;
    assert_false(scheduler_enter(scheduler, &alone, &err));
    scheduler_leave(scheduler, &other);
    scheduler_free(scheduler);
}

static void a_cancelled_ticket_leaves_the_queue(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket inside = {0};
    struct error err;
    int order = 0;
    assert_ok(scheduler_enter(scheduler, &inside, &err), &err);
    struct visitor waiting = {.order = &order, .lock = &lock};
    start(&waiting, scheduler, PRIORITY_PERSON, 1);
    scheduler_cancel(scheduler, &waiting.ticket);
    pthread_join(waiting.thread, NULL);
    assert_false(waiting.entered);
    assert_int_equal(waiting.err.kind, ERROR_CANCELLED);
    assert_int_equal(scheduler_state(scheduler).waiting, 0);
    scheduler_leave(scheduler, &inside);
    scheduler_free(scheduler);
}

static void *visit_often(void *context)
{
    for (int i = 0; i < 200; i++)
        visit(context);
    return NULL;
}

static void many_threads_leave_it_empty(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(3, 64, 100);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int order = 0;
    struct visitor visitors[8] = {0};
    for (int i = 0; i < 8; i++) {
        visitors[i] = (struct visitor){.scheduler = scheduler, .order = &order, .lock = &lock};
        visitors[i].ticket.memory_bytes = (size_t)(10 + 20 * i);
        visitors[i].ticket.priority = (enum priority)(i % PRIORITIES);
        pthread_create(&visitors[i].thread, NULL, visit_often, &visitors[i]);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(visitors[i].thread, NULL);
    struct scheduler_state end = scheduler_state(scheduler);
    assert_int_equal(end.inside, 0);
    assert_int_equal(end.waiting, 0);
    assert_int_equal(end.served, 1600);
    assert_int_equal(order, 1600);
    scheduler_free(scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_goes_before_a_batch_and_the_first_before_the_second),
        cmocka_unit_test(a_full_queue_refuses_and_says_when_to_come_back),
        cmocka_unit_test(lots_send_away_both_who_waits_and_who_comes),
        cmocka_unit_test(memory_bounds_who_is_inside),
        cmocka_unit_test(whoever_wants_to_be_alone_is),
        cmocka_unit_test(a_cancelled_ticket_leaves_the_queue),
        cmocka_unit_test(many_threads_leave_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
