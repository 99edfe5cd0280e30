/* SPDX-License-Identifier: Apache-2.0 */
#include "image/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/line_internal.h"

enum { MAX_HANDS = 64 };

struct scheduler {
    pthread_mutex_t lock; /* everything below, and tickets that are waiting or inside */
    struct line line;
    /* Errands that were let in and nobody runs yet, and who runs them. There are never more of both
     * together than are inside. */
    struct ticket *ready, **last_ready;
    pthread_t hands[MAX_HANDS];
    int hand_count, idle, calls; /* calls: to hands that sleep no more, but have not looked yet */
    pthread_cond_t called;
    bool ended;
};

struct scheduler *scheduler_new(const struct scheduler_settings *settings)
{
    struct scheduler *scheduler = xcalloc(1, sizeof *scheduler);
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_cond_init(&scheduler->called, NULL);
    line_init(&scheduler->line, settings);
    scheduler->last_ready = &scheduler->ready;
    return scheduler;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    pthread_mutex_lock(&scheduler->lock);
    scheduler->ended = true;
    pthread_cond_broadcast(&scheduler->called);
    pthread_mutex_unlock(&scheduler->lock);
    for (int i = 0; i < scheduler->hand_count; i++)
        pthread_join(scheduler->hands[i], NULL);
    pthread_cond_destroy(&scheduler->called);
    line_dispose(&scheduler->line);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

/* Everything below is called under the lock. */

/* Each who waits has a bell of its own: were all woken whenever one is let in, they would take the
 * processors from those that work, only to lie down again. */
static void ring(const struct ticket *ticket)
{
    if (ticket->bell)
        pthread_cond_signal(ticket->bell);
}

static void ready_append(struct scheduler *scheduler, struct ticket *ticket)
{
    *scheduler->last_ready = ticket;
    scheduler->last_ready = &ticket->next;
}

static struct ticket *ready_take(struct scheduler *scheduler)
{
    struct ticket *first = scheduler->ready;
    if (!first)
        return NULL;
    scheduler->ready = first->next;
    if (!scheduler->ready)
        scheduler->last_ready = &scheduler->ready;
    first->next = NULL;
    return first;
}

static void *hand_main(void *raw);

/* False: none sleeps, and there can be no more. */
static bool hand_call(struct scheduler *scheduler)
{
    int count = scheduler->hand_count;
    if (scheduler->idle > 0) {
        scheduler->idle--;
        scheduler->calls++;
        pthread_cond_signal(&scheduler->called);
        return true;
    }
    if (count == MAX_HANDS ||
        pthread_create(&scheduler->hands[count], NULL, hand_main, scheduler) != 0)
        return false;
    scheduler->hand_count++;
    return true;
}

/* `free_hands`: who comes for an errand without being called, 0 or 1. What no hand can be had for
 * its owner does, who is rung. */
static void admit(struct scheduler *scheduler, int free_hands)
{
    struct ticket *next = NULL;
    for (struct ticket *at = line_admit(&scheduler->line, mono_ns()); at; at = next) {
        next = at->next;
        at->next = NULL;
        if (at->errand && (free_hands-- > 0 || hand_call(scheduler))) {
            ready_append(scheduler, at);
            continue;
        }
        at->errand = NULL;
        ring(at);
    }
}

static void leave(struct scheduler *scheduler, struct ticket *ticket, int free_hands)
{
    line_leave(&scheduler->line, ticket, mono_ns());
    admit(scheduler, free_hands);
}

/* Runs errands until there are none. The owner is rung last: it may preempt whoever rings. */
static void errands_run(struct scheduler *scheduler)
{
    for (struct ticket *ticket; (ticket = ready_take(scheduler)) != NULL;) {
        const struct errand *errand = ticket->errand;
        pthread_mutex_unlock(&scheduler->lock);
        bool done = errand->run(errand->context, errand->err);
        pthread_mutex_lock(&scheduler->lock);
        leave(scheduler, ticket, scheduler->ready ? 0 : 1);
        ticket->done = done;
        ticket->finished = true;
        ring(ticket);
    }
}

static void *hand_main(void *raw)
{
    struct scheduler *scheduler = raw;
    pthread_mutex_lock(&scheduler->lock);
    errands_run(scheduler);
    while (!scheduler->ended) {
        scheduler->idle++;
        while (scheduler->calls == 0 && !scheduler->ended)
            pthread_cond_wait(&scheduler->called, &scheduler->lock);
        scheduler->calls -= !scheduler->ended;
        errands_run(scheduler);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

static bool say_full(const struct scheduler *scheduler, const struct ticket *ticket,
                     struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "%d pictures are waiting already; try in %d s",
              scheduler->line.queued, ticket->retry_after_s);
    error_about(err, NULL, "image_busy");
    return error_retry(err, ticket->retry_after_s);
}

static bool wait_until_rung(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    while (ticket->errand ? !ticket->finished : !ticket->inside) {
        int waited = 0;
        if (ticket->inside) { /* one of our hands is at it */
            pthread_cond_wait(ticket->bell, &scheduler->lock);
            continue;
        }
        if (ticket->displaced)
            return say_full(scheduler, ticket, err);
        if (ticket->taken_along)
            return error_set(err, ERROR_CANCELLED, "taken along by another");
        if (ticket->cancelled) {
            if (line_remove(&scheduler->line, ticket))
                admit(scheduler, 0);
            return error_set(err, ERROR_CANCELLED, "cancelled while waiting for the device");
        }
        if (ticket->deadline_ms) {
            struct timespec until = cond_deadline(ticket->deadline_ms);
            waited = pthread_cond_timedwait(ticket->bell, &scheduler->lock, &until);
        } else {
            pthread_cond_wait(ticket->bell, &scheduler->lock);
        }
        if (waited == ETIMEDOUT && line_remove(&scheduler->line, ticket)) {
            scheduler->line.expired++;
            admit(scheduler, 0);
            return error_set(err, ERROR_TIMEOUT, "the device was not free in time");
        }
    }
    return true;
}

static bool wait_for_turn(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    pthread_cond_t bell;
    cond_init_mono(&bell);
    ticket->bell = &bell;
    bool entered = wait_until_rung(scheduler, ticket, err);
    ticket->bell = NULL;
    pthread_cond_destroy(&bell);
    return entered;
}

/* Unlike the others, takes the lock itself. */
static bool enter(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    bool entered = false;
    struct ticket *displaced = NULL;
    ticket->finished = ticket->done = false;
    pthread_mutex_lock(&scheduler->lock);
    if (ticket->deadline_ms && mono_ms() >= ticket->deadline_ms) {
        scheduler->line.expired++;
        error_set(err, ERROR_TIMEOUT, "the deadline had passed already");
    } else {
        switch (line_enter(&scheduler->line, ticket, mono_ns(), &displaced)) {
        case LINE_INSIDE:
            entered = true;
            break;
        case LINE_FULL:
            say_full(scheduler, ticket, err);
            break;
        case LINE_WAITS:
            if (displaced)
                ring(displaced);
            entered = wait_for_turn(scheduler, ticket, err);
            break;
        }
    }
    pthread_mutex_unlock(&scheduler->lock);
    return entered;
}

bool scheduler_enter(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    ticket->errand = NULL;
    return enter(scheduler, ticket, err);
}

bool scheduler_do(struct scheduler *scheduler, struct ticket *ticket, const struct errand *errand)
{
    ticket->errand = errand;
    if (!enter(scheduler, ticket, errand->err))
        return false;
    if (ticket->finished)
        return ticket->done;
    bool done = errand->run(errand->context, errand->err);
    scheduler_leave(scheduler, ticket);
    return done;
}

bool scheduler_take_along(struct scheduler *scheduler, struct ticket *host, struct ticket *rider)
{
    pthread_mutex_lock(&scheduler->lock);
    bool taken = line_take_along(&scheduler->line, host, rider);
    if (taken)
        ring(rider);
    pthread_mutex_unlock(&scheduler->lock);
    return taken;
}

void scheduler_leave(struct scheduler *scheduler, struct ticket *ticket)
{
    pthread_mutex_lock(&scheduler->lock);
    leave(scheduler, ticket, 0);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_cancel(struct scheduler *scheduler, struct ticket *ticket)
{
    pthread_mutex_lock(&scheduler->lock);
    ticket->cancelled = true;
    if (line_remove(&scheduler->line, ticket))
        admit(scheduler, 0);
    ring(ticket);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_gone(struct scheduler *scheduler, struct image_client client)
{
    pthread_mutex_lock(&scheduler->lock);
    shares_gone(scheduler->line.shares, client);
    pthread_mutex_unlock(&scheduler->lock);
}

struct scheduler_state scheduler_state(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    const struct line *line = &scheduler->line;
    struct scheduler_state state = {
        .inside = line->inside,
        .waiting = line->queued,
        .served = line->served,
        .refused = line->refused,
        .expired = line->expired,
        .mean_s = line->mean_s,
        .busy_s = line->busy_s,
        .retry_after_s = line_retry_after_s(line, mono_ms()),
        .streams = line->settings.streams,
        .queue = line->settings.queue,
    };
    pthread_mutex_unlock(&scheduler->lock);
    return state;
}

void scheduler_set_streams(struct scheduler *scheduler, int streams)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->line.settings.streams = streams < 1 ? 1 : streams;
    admit(scheduler, 0);
    pthread_mutex_unlock(&scheduler->lock);
}
