/* SPDX-License-Identifier: Apache-2.0 */
#include "image/watch.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"

/* How long after a client went away at most its work goes on. */
enum { ASK_EVERY_MS = 20 };

struct watch {
    pthread_mutex_t lock; /* everything below; what is watched is asked and stopped under it */
    pthread_cond_t changed;
    struct watched *all;
    int64_t next_ms; /* when the thread looks again; INT64_MAX: not by itself */
    pthread_t thread;
    bool running, ended;
};

struct watch *watch_new(void)
{
    struct watch *watch = xcalloc(1, sizeof *watch);
    cond_init_mono(&watch->changed);
    pthread_mutex_init(&watch->lock, NULL);
    watch->next_ms = INT64_MAX;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->ended = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    if (watch->running)
        pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

/* When it wants to be looked at. */
static int64_t due_ms(const struct watched *watched, int64_t now_ms)
{
    int64_t due = watched->deadline_ms ? watched->deadline_ms : INT64_MAX;
    if (watched->reason != WATCH_GOES_ON)
        return INT64_MAX;
    return watched->gone && due > now_ms + ASK_EVERY_MS ? now_ms + ASK_EVERY_MS : due;
}

/* Under the lock. */
static void look(struct watch *watch, int64_t now_ms)
{
    watch->next_ms = INT64_MAX;
    for (struct watched *each = watch->all; each; each = each->next) {
        if (each->reason == WATCH_GOES_ON && each->deadline_ms && now_ms >= each->deadline_ms)
            each->reason = WATCH_EXPIRED;
        else if (each->reason == WATCH_GOES_ON && each->gone && each->gone(each->asked))
            each->reason = WATCH_GONE;
        else {
            int64_t due = due_ms(each, now_ms);
            watch->next_ms = due < watch->next_ms ? due : watch->next_ms;
            continue;
        }
        each->stop(each->context);
    }
}

static void *run(void *context)
{
    struct watch *watch = context;
    pthread_mutex_lock(&watch->lock);
    while (!watch->ended) {
        struct timespec until = cond_deadline(watch->next_ms);
        if (watch->next_ms == INT64_MAX)
            pthread_cond_wait(&watch->changed, &watch->lock);
        else
            pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
        if (watch->next_ms != INT64_MAX && mono_ms() >= watch->next_ms)
            look(watch, mono_ms());
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

void watch_begin(struct watch *watch, struct watched *watched)
{
    watched->reason = WATCH_GOES_ON;
    pthread_mutex_lock(&watch->lock);
    watched->next = watch->all;
    watch->all = watched;
    int64_t due = due_ms(watched, mono_ms());
    if (due < watch->next_ms) {
        watch->next_ms = due;
        pthread_cond_signal(&watch->changed);
    }
    if (!watch->running)
        watch->running = pthread_create(&watch->thread, NULL, run, watch) == 0;
    pthread_mutex_unlock(&watch->lock);
}

enum watch_reason watch_end(struct watch *watch, struct watched *watched)
{
    pthread_mutex_lock(&watch->lock);
    for (struct watched **at = &watch->all; *at; at = &(*at)->next)
        if (*at == watched) {
            *at = watched->next;
            break;
        }
    pthread_mutex_unlock(&watch->lock);
    return watched->reason;
}
