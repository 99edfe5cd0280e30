/* SPDX-License-Identifier: Apache-2.0 */
#include "image/watch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sleeper.h"

/* How long after a client went away at most its work goes on. */
enum { ASK_EVERY_MS = 20 };

struct watch {
    struct sleeper sleeper; /* its lock: what is watched is asked and stopped under it, too */
    struct watched *all;
    int64_t next_ms; /* when the thread looks again; INT64_MAX: not by itself */
};

struct watch *watch_new(void)
{
    struct watch *watch = xcalloc(1, sizeof *watch);
    sleeper_init(&watch->sleeper);
    watch->next_ms = INT64_MAX;
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    sleeper_end(&watch->sleeper);
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
    pthread_mutex_lock(&watch->sleeper.lock);
    while (sleeper_wait(&watch->sleeper, watch->next_ms))
        if (watch->next_ms != INT64_MAX && mono_ms() >= watch->next_ms)
            look(watch, mono_ms());
    pthread_mutex_unlock(&watch->sleeper.lock);
    return NULL;
}

void watch_begin(struct watch *watch, struct watched *watched)
{
    watched->reason = WATCH_GOES_ON;
    pthread_mutex_lock(&watch->sleeper.lock);
    watched->next = watch->all;
    watch->all = watched;
    int64_t due = due_ms(watched, mono_ms());
    if (due < watch->next_ms) {
        watch->next_ms = due;
        sleeper_wake(&watch->sleeper);
    }
    sleeper_start(&watch->sleeper, run, watch);
    pthread_mutex_unlock(&watch->sleeper.lock);
}

enum watch_reason watch_end(struct watch *watch, struct watched *watched)
{
    pthread_mutex_lock(&watch->sleeper.lock);
    for (struct watched **at = &watch->all; *at; at = &(*at)->next)
        if (*at == watched) {
            *at = watched->next;
            break;
        }
    pthread_mutex_unlock(&watch->sleeper.lock);
    return watched->reason;
}
