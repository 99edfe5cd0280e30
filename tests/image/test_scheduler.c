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

static void who_had_a_picture_makes_room_for_who_had_none(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 1, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket inside = {.client = {1, 1}}, early = {.client = {1, 1}};
    struct error err;
    int order = 0;
    for (int i = 0; i < 2; i++) {
        assert_ok(scheduler_enter(scheduler, &inside, &err), &err);
        scheduler_leave(scheduler, &inside);
    }
    struct ticket other = {.client = {2, 2}};
    assert_ok(scheduler_enter(scheduler, &other, &err), &err);
    struct visitor had = {.order = &order, .lock = &lock, .ticket = {.client = {1, 1}}};
    start(&had, scheduler, PRIORITY_PERSON, 1);
    struct visitor had_none = {
        .scheduler = scheduler, .order = &order, .lock = &lock, .ticket = {.client = {3, 3}}};
    pthread_create(&had_none.thread, NULL, visit, &had_none);
    pthread_join(had.thread, NULL);
    assert_false(had.entered);
    assert_string_equal(had.err.code, "image_busy");
    assert_int_equal(had.err.retry_after_s, 1);
    assert_false(scheduler_enter(scheduler, &early, &err)); /* before the second is over */
    assert_string_equal(err.code, "image_busy");
    assert_int_equal(err.retry_after_s, 1);
    scheduler_leave(scheduler, &other);
    pthread_join(had_none.thread, NULL);
    assert_true(had_none.entered);
    scheduler_free(scheduler);
}

static void who_is_taken_along_is_counted_with_its_memory(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 100);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket host = {.memory_bytes = 40};
    struct visitor riders[2] = {{.ticket.memory_bytes = 60}, {.ticket.memory_bytes = 1}};
    struct error err;
    int order = 0;
    assert_ok(scheduler_enter(scheduler, &host, &err), &err);
    for (int i = 0; i < 2; i++) {
        riders[i].order = &order;
        riders[i].lock = &lock;
        start(&riders[i], scheduler, PRIORITY_PERSON, i + 1);
    }
    assert_true(scheduler_take_along(scheduler, &host, &riders[0].ticket));
    assert_false(scheduler_take_along(scheduler, &host, &riders[0].ticket)); /* once */
    assert_false(scheduler_take_along(scheduler, &host, &riders[1].ticket)); /* no memory */
    pthread_join(riders[0].thread, NULL);
    assert_int_equal(riders[0].err.kind, ERROR_CANCELLED);
    assert_int_equal(scheduler_state(scheduler).waiting, 1);
    scheduler_leave(scheduler, &host);
    pthread_join(riders[1].thread, NULL);
    assert_true(riders[1].entered);
    assert_int_equal(scheduler_state(scheduler).served, 3);
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
    assert_int_equal(err.retry_after_s, 1);
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

static void what_was_cancelled_before_never_waits(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    struct ticket inside = {0}, called_off = {.priority = PRIORITY_BATCH, .alone = true};
    struct error err;
    assert_ok(scheduler_enter(scheduler, &inside, &err), &err);
    scheduler_cancel(scheduler, &called_off);
    assert_false(scheduler_enter(scheduler, &called_off, &err));
    assert_int_equal(err.kind, ERROR_CANCELLED);
    assert_int_equal(scheduler_state(scheduler).waiting, 0);
    scheduler_leave(scheduler, &inside);
    scheduler_free(scheduler);
}

/* A thread with an errand. */
struct sender {
    struct scheduler *scheduler;
    struct ticket ticket;
    struct errand errand;
    pthread_t thread, ran_on;
    struct error err;
    int *order, place; /* under `lock` */
    pthread_mutex_t *lock;
    bool succeeds, done;
};

static bool run_errand(void *context, struct error *err)
{
    struct sender *sender = context;
    pthread_mutex_lock(sender->lock);
    sender->place = ++*sender->order;
    pthread_mutex_unlock(sender->lock);
    sender->ran_on = pthread_self();
    return sender->succeeds || error_set(err, ERROR_INTERNAL, "it went wrong");
}

static void *send(void *context)
{
    struct sender *sender = context;
    sender->errand = (struct errand){run_errand, sender, &sender->err};
    sender->done = scheduler_do(sender->scheduler, &sender->ticket, &sender->errand);
    return NULL;
}

static void errands_of_those_who_wait_are_run_for_them_in_their_order(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket first = {0};
    struct error err;
    int order = 0;
    const int places[] = {3, 1, 4, 2};
    struct sender senders[4] = {0};
    assert_ok(scheduler_enter(scheduler, &first, &err), &err);
    for (int i = 0; i < 4; i++) {
        senders[i] = (struct sender){.scheduler = scheduler, .order = &order, .lock = &lock};
        senders[i].ticket.priority = i % 2 ? PRIORITY_PERSON : PRIORITY_BATCH;
        senders[i].succeeds = i != 2;
        pthread_create(&senders[i].thread, NULL, send, &senders[i]);
        await_waiting(scheduler, i + 1);
    }
    scheduler_leave(scheduler, &first);
    for (int i = 0; i < 4; i++)
        pthread_join(senders[i].thread, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(senders[i].place, places[i]);
        assert_true(senders[i].done == senders[i].succeeds);
        assert_true(pthread_equal(senders[i].ran_on, senders[0].ran_on)); /* nobody was woken */
    }
    assert_error(&senders[2].err, ERROR_INTERNAL, "it went wrong");
    assert_int_equal(scheduler_state(scheduler).served, 5);
    assert_int_equal(scheduler_state(scheduler).inside, 0);
    scheduler_free(scheduler);
}

static void an_errand_that_need_not_wait_is_run_at_once(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int order = 0;
    struct sender sender = {
        .scheduler = scheduler, .order = &order, .lock = &lock, .succeeds = true};
    send(&sender);
    assert_true(sender.done);
    assert_true(pthread_equal(sender.ran_on, pthread_self()));
    scheduler_free(scheduler);
}

static void an_errand_may_be_called_off_or_come_too_late(void **state)
{
    (void)state;
    struct scheduler *scheduler = make(1, 8, 0);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct ticket inside = {0};
    struct error err;
    int order = 0;
    assert_ok(scheduler_enter(scheduler, &inside, &err), &err);
    struct sender off = {.scheduler = scheduler, .order = &order, .lock = &lock};
    struct sender late = off;
    pthread_create(&off.thread, NULL, send, &off);
    await_waiting(scheduler, 1);
    scheduler_cancel(scheduler, &off.ticket);
    pthread_join(off.thread, NULL);
    late.ticket.deadline_ms = mono_ms() + 20;
    send(&late);
    assert_int_equal(off.err.kind, ERROR_CANCELLED);
    assert_int_equal(late.err.kind, ERROR_TIMEOUT);
    assert_int_equal(order, 0);
    assert_int_equal(scheduler_state(scheduler).waiting, 0);
    scheduler_leave(scheduler, &inside);
    scheduler_free(scheduler);
}

static void *send_often(void *context)
{
    for (int i = 0; i < 200; i++)
        send(context);
    return NULL;
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
    struct sender senders[8] = {0};
    for (int i = 0; i < 8; i++) {
        struct ticket ticket = {.memory_bytes = (size_t)(10 + 20 * i),
                                .priority = (enum priority)(i % PRIORITIES)};
        visitors[i] = (struct visitor){
            .scheduler = scheduler, .order = &order, .lock = &lock, .ticket = ticket};
        senders[i] = (struct sender){
            .scheduler = scheduler, .order = &order, .lock = &lock, .ticket = ticket};
        senders[i].ticket.alone = i == 3;
        pthread_create(&visitors[i].thread, NULL, visit_often, &visitors[i]);
        pthread_create(&senders[i].thread, NULL, send_often, &senders[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(visitors[i].thread, NULL);
        pthread_join(senders[i].thread, NULL);
    }
    struct scheduler_state end = scheduler_state(scheduler);
    assert_int_equal(end.inside, 0);
    assert_int_equal(end.waiting, 0);
    assert_int_equal(end.served, 3200);
    assert_int_equal(order, 3200);
    scheduler_free(scheduler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_goes_before_a_batch_and_the_first_before_the_second),
        cmocka_unit_test(a_full_queue_refuses_and_says_when_to_come_back),
        cmocka_unit_test(who_had_a_picture_makes_room_for_who_had_none),
        cmocka_unit_test(who_is_taken_along_is_counted_with_its_memory),
        cmocka_unit_test(memory_bounds_who_is_inside),
        cmocka_unit_test(whoever_wants_to_be_alone_is),
        cmocka_unit_test(a_cancelled_ticket_leaves_the_queue),
        cmocka_unit_test(what_was_cancelled_before_never_waits),
        cmocka_unit_test(errands_of_those_who_wait_are_run_for_them_in_their_order),
        cmocka_unit_test(an_errand_that_need_not_wait_is_run_at_once),
        cmocka_unit_test(an_errand_may_be_called_off_or_come_too_late),
        cmocka_unit_test(many_threads_leave_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
