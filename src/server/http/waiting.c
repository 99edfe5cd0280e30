/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait without a thread: who wakes them, and the clock that does otherwise. */
#include <assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "http/server_internal.h"
#include "http/workers.h"

enum { SCAN_MS = 1000 };

/* Locks are taken in this order: a waker's, then the server's. */
struct http_waker {
    atomic_int references;
    pthread_mutex_t lock; /* exchange */
    struct exchange *exchange;
};

static void unlink_waiter(struct exchange *exchange)
{
    *exchange->previous = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    exchange->server->waiting_count--;
    exchange->waiting = WAITING_NOT;
}

/* Under the server's lock. */
static void wake_locked(struct exchange *exchange)
{
    enum waiting was = exchange->waiting;
    if (was == WAITING_NOT) {
        exchange->woken = true;
        return;
    }
    unlink_waiter(exchange);
    bool taken =
        workers_resubmit(exchange->server->workers,
                         was == WAITING_STREAM ? exchange_stream : exchange_work, exchange);
    assert(taken); /* nobody waits any more when the workers end */
}

bool waiting_begin(struct exchange *exchange, enum waiting kind, int64_t wake_at_ms)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    bool wait = !exchange->woken && !atomic_load(&server->stopping);
    exchange->woken = false;
    if (wait) {
        exchange->waiting = kind;
        exchange->wake_at_ms = wake_at_ms;
        exchange->next = server->waiters;
        exchange->previous = &server->waiters;
        if (server->waiters)
            server->waiters->previous = &exchange->next;
        server->waiters = exchange;
        server->waiting_count++;
        pthread_cond_signal(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
    return wait;
}

void waiting_wake_all(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    while (server->waiters)
        wake_locked(server->waiters);
    pthread_mutex_unlock(&server->lock);
}

struct http_waker *http_request_waker(const struct http_request *request)
{
    struct exchange *exchange = request->exchange;
    if (!exchange->waker) {
        exchange->waker = xmalloc(sizeof *exchange->waker);
        *exchange->waker = (struct http_waker){.references = 1, .exchange = exchange};
        pthread_mutex_init(&exchange->waker->lock, NULL);
    }
    atomic_fetch_add(&exchange->waker->references, 1);
    return exchange->waker;
}

void http_waker_wake(struct http_waker *waker)
{
    pthread_mutex_lock(&waker->lock);
    if (waker->exchange) {
        struct http_server *server = waker->exchange->server;
        pthread_mutex_lock(&server->lock);
        wake_locked(waker->exchange);
        pthread_mutex_unlock(&server->lock);
    }
    pthread_mutex_unlock(&waker->lock);
}

void http_waker_free(struct http_waker *waker)
{
    if (!waker || atomic_fetch_sub(&waker->references, 1) != 1)
        return;
    pthread_mutex_destroy(&waker->lock);
    free(waker);
}

void waiting_forget(struct exchange *exchange)
{
    if (!exchange->waker)
        return;
    pthread_mutex_lock(&exchange->waker->lock);
    exchange->waker->exchange = NULL;
    pthread_mutex_unlock(&exchange->waker->lock);
    http_waker_free(TAKE(exchange->waker));
}

/* Wakes who is due; returns when the next one is, HTTP_FOREVER_MS when nobody. */
static int64_t wake_due(struct http_server *server, int64_t now_ms)
{
    int64_t soonest = HTTP_FOREVER_MS;
    struct exchange *next = NULL;
    for (struct exchange *waiter = server->waiters; waiter; waiter = next) {
        next = waiter->next;
        int64_t at = waiter->wake_at_ms;
        if (at == HTTP_FOREVER_MS)
            continue;
        if (at <= now_ms)
            wake_locked(waiter);
        else if (soonest == HTTP_FOREVER_MS || at < soonest)
            soonest = at;
    }
    return soonest;
}

static void *tick(void *context)
{
    struct http_server *server = context;
    int64_t next_scan_ms = 0;
    pthread_mutex_lock(&server->lock);
    while (!server->ticker_ends) {
        int64_t now_ms = mono_ms();
        if (now_ms >= next_scan_ms) {
            conns_cut_off(server, now_ms);
            next_scan_ms = now_ms + SCAN_MS;
        }
        int64_t until_ms = wake_due(server, now_ms);
        if (server->conns && (until_ms == HTTP_FOREVER_MS || until_ms > next_scan_ms))
            until_ms = next_scan_ms;
        if (until_ms == HTTP_FOREVER_MS) {
            pthread_cond_wait(&server->changed, &server->lock);
            continue;
        }
        struct timespec until = cond_deadline(until_ms);
        pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

bool ticker_start(struct http_server *server)
{
    pthread_mutex_init(&server->lock, NULL);
    cond_init_mono(&server->changed);
    return pthread_create(&server->ticker, NULL, tick, server) == 0;
}

void ticker_stop(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->ticker_ends = true;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->ticker, NULL);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
}
