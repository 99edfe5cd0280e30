/* SPDX-License-Identifier: Apache-2.0 */
#include "image/scheduler.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

enum { DEFAULT_QUEUE = 16 };

struct scheduler {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct scheduler_settings settings;
    struct ticket *waiting; /* in the order in which they will be let in */
    int inside, queued;
    size_t memory_inside;
    bool someone_alone;
    uint64_t numbers, served, refused, expired, lots;
    double mean_s, busy_s;
};

struct scheduler *scheduler_new(const struct scheduler_settings *settings)
{
    struct scheduler *scheduler = xcalloc(1, sizeof *scheduler);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&scheduler->lock, NULL);
    scheduler->settings = *settings;
    if (scheduler->settings.streams < 1)
        scheduler->settings.streams = 1;
    if (scheduler->settings.queue < 1)
        scheduler->settings.queue = DEFAULT_QUEUE;
    return scheduler;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    pthread_cond_destroy(&scheduler->changed);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler);
}

/* Everything below is called under the lock. */

static void queue_insert(struct scheduler *scheduler, struct ticket *ticket)
{
    struct ticket **at = &scheduler->waiting;
    while (*at && (*at)->priority <= ticket->priority)
        at = &(*at)->next;
    ticket->next = *at;
    *at = ticket;
    scheduler->queued++;
}

static void queue_remove(struct scheduler *scheduler, struct ticket *ticket)
{
    for (struct ticket **at = &scheduler->waiting; *at; at = &(*at)->next)
        if (*at == ticket) {
            *at = ticket->next;
            scheduler->queued--;
            return;
        }
}

static bool has_room(const struct scheduler *scheduler, const struct ticket *ticket)
{
    if (scheduler->inside == 0)
        return true;
    if (scheduler->someone_alone || ticket->alone ||
        scheduler->inside >= scheduler->settings.streams)
        return false;
    size_t limit = scheduler->settings.memory_bytes;
    return limit == 0 || (scheduler->memory_inside <= limit &&
                          ticket->memory_bytes <= limit - scheduler->memory_inside);
}

static void let_in(struct scheduler *scheduler, struct ticket *ticket)
{
    ticket->inside = true;
    ticket->entered_ns = mono_ns();
    scheduler->inside++;
    scheduler->memory_inside += ticket->memory_bytes;
    scheduler->someone_alone |= ticket->alone;
}

/* The head of the queue waits for room even when a smaller one behind it would fit: otherwise a
 * large picture could wait for ever. */
static void admit(struct scheduler *scheduler)
{
    bool any = false;
    while (scheduler->waiting && has_room(scheduler, scheduler->waiting)) {
        struct ticket *ticket = scheduler->waiting;
        queue_remove(scheduler, ticket);
        let_in(scheduler, ticket);
        any = true;
    }
    if (any)
        pthread_cond_broadcast(&scheduler->changed);
}

static int retry_after_s(const struct scheduler *scheduler)
{
    double each = scheduler->mean_s / scheduler->settings.streams;
    double wait = each * (scheduler->queued + scheduler->inside);
    return wait < 1 ? 1 : (int)ceil(wait);
}

static bool say_full(const struct scheduler *scheduler, struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "%d pictures are waiting already; try in %d s",
              scheduler->queued, retry_after_s(scheduler));
    return error_about(err, NULL, "image_busy");
}

/* Of those who wait and are not more urgent than who comes. NULL: it fell on who comes. */
static struct ticket *draw_lot(struct scheduler *scheduler, const struct ticket *newcomer)
{
    int count = 0;
    for (const struct ticket *at = scheduler->waiting; at; at = at->next)
        count += at->priority >= newcomer->priority;
    scheduler->lots = scheduler->lots * UINT64_C(6364136223846793005) + 1442695040888963407U;
    int drawn = (int)((scheduler->lots >> 33) % (uint64_t)(count + 1));
    for (struct ticket *at = scheduler->waiting; at; at = at->next)
        if (at->priority >= newcomer->priority && drawn-- == 0)
            return at;
    return NULL;
}

/* The queue is full: is there a place all the same? */
static bool displace(struct scheduler *scheduler, const struct ticket *newcomer)
{
    struct ticket *drawn = scheduler->settings.draw_lots ? draw_lot(scheduler, newcomer) : NULL;
    scheduler->refused++;
    if (!drawn)
        return false;
    queue_remove(scheduler, drawn);
    drawn->displaced = true;
    pthread_cond_broadcast(&scheduler->changed);
    return true;
}

static bool wait_for_turn(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    while (!ticket->inside) {
        int waited = 0;
        if (ticket->displaced)
            return say_full(scheduler, err);
        if (ticket->cancelled) {
            queue_remove(scheduler, ticket);
            return error_set(err, ERROR_CANCELLED, "cancelled while waiting for the device");
        }
        if (ticket->deadline_ms) {
            struct timespec until = {ticket->deadline_ms / 1000,
                                     ticket->deadline_ms % 1000 * 1000000};
            waited = pthread_cond_timedwait(&scheduler->changed, &scheduler->lock, &until);
        } else {
            pthread_cond_wait(&scheduler->changed, &scheduler->lock);
        }
        if (waited == ETIMEDOUT && !ticket->inside) {
            queue_remove(scheduler, ticket);
            scheduler->expired++;
            admit(scheduler);
            return error_set(err, ERROR_TIMEOUT, "the device was not free in time");
        }
    }
    return true;
}

bool scheduler_enter(struct scheduler *scheduler, struct ticket *ticket, struct error *err)
{
    bool entered = false;
    pthread_mutex_lock(&scheduler->lock);
    ticket->number = ++scheduler->numbers;
    ticket->inside = ticket->displaced = false;
    if (ticket->deadline_ms && mono_ms() >= ticket->deadline_ms) {
        scheduler->expired++;
        error_set(err, ERROR_TIMEOUT, "the deadline had passed already");
    } else if (!scheduler->waiting && has_room(scheduler, ticket)) {
        let_in(scheduler, ticket);
        entered = true;
    } else if (scheduler->queued >= scheduler->settings.queue && !displace(scheduler, ticket)) {
        say_full(scheduler, err);
    } else {
        queue_insert(scheduler, ticket);
        entered = wait_for_turn(scheduler, ticket, err);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return entered;
}

bool scheduler_waits(struct scheduler *scheduler, const struct ticket *ticket)
{
    bool waits = false;
    pthread_mutex_lock(&scheduler->lock);
    for (const struct ticket *at = scheduler->waiting; at; at = at->next)
        waits |= at == ticket;
    pthread_mutex_unlock(&scheduler->lock);
    return waits;
}

void scheduler_leave(struct scheduler *scheduler, struct ticket *ticket)
{
    pthread_mutex_lock(&scheduler->lock);
    double stay_s = (double)(mono_ns() - ticket->entered_ns) / 1e9;
    scheduler->mean_s = scheduler->served ? scheduler->mean_s * 0.9 + stay_s * 0.1 : stay_s;
    scheduler->busy_s += stay_s;
    scheduler->served++;
    scheduler->inside--;
    scheduler->memory_inside -= ticket->memory_bytes;
    if (ticket->alone)
        scheduler->someone_alone = false;
    ticket->inside = false;
    admit(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_cancel(struct scheduler *scheduler, struct ticket *ticket)
{
    pthread_mutex_lock(&scheduler->lock);
    ticket->cancelled = true;
    pthread_cond_broadcast(&scheduler->changed);
    pthread_mutex_unlock(&scheduler->lock);
}

void scheduler_forgive(struct scheduler *scheduler, struct ticket *ticket)
{
    pthread_mutex_lock(&scheduler->lock);
    ticket->cancelled = false;
    pthread_mutex_unlock(&scheduler->lock);
}

struct scheduler_state scheduler_state(struct scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    struct scheduler_state state = {
        .inside = scheduler->inside,
        .waiting = scheduler->queued,
        .served = scheduler->served,
        .refused = scheduler->refused,
        .expired = scheduler->expired,
        .mean_s = scheduler->mean_s,
        .busy_s = scheduler->busy_s,
        .retry_after_s = retry_after_s(scheduler),
        .streams = scheduler->settings.streams,
        .queue = scheduler->settings.queue,
    };
    pthread_mutex_unlock(&scheduler->lock);
    return state;
}

void scheduler_set_streams(struct scheduler *scheduler, int streams)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->settings.streams = streams < 1 ? 1 : streams;
    admit(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
}
