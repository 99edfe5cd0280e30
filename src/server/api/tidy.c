/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tidy.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"

struct tidy {
    int64_t quiet_ms;
    void (*action)(void *context);
    void *context;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    bool worked, ending;
    int64_t last_ms;
};

/* Under the lock: sleeps until there was work and then none for long enough. False at the end. */
static bool await_quiet(struct tidy *tidy)
{
    while (!tidy->ending) {
        int64_t at_ms = tidy->last_ms + tidy->quiet_ms;
        if (!tidy->worked) {
            pthread_cond_wait(&tidy->changed, &tidy->lock);
        } else if (mono_ms() >= at_ms) {
            return true;
        } else {
            struct timespec until = cond_deadline(at_ms);
            pthread_cond_timedwait(&tidy->changed, &tidy->lock, &until);
        }
    }
    return false;
}

static void *tidy_run(void *context)
{
    struct tidy *tidy = context;
    pthread_mutex_lock(&tidy->lock);
    while (await_quiet(tidy)) {
        tidy->worked = false;
        pthread_mutex_unlock(&tidy->lock);
        tidy->action(tidy->context);
        pthread_mutex_lock(&tidy->lock);
    }
    pthread_mutex_unlock(&tidy->lock);
    return NULL;
}

struct tidy *tidy_new(int64_t quiet_ms, void (*action)(void *context), void *context)
{
    struct tidy *tidy = xcalloc(1, sizeof *tidy);
    tidy->quiet_ms = quiet_ms;
    tidy->action = action;
    tidy->context = context;
    pthread_mutex_init(&tidy->lock, NULL);
    cond_init_mono(&tidy->changed);
    tidy->running = pthread_create(&tidy->thread, NULL, tidy_run, tidy) == 0;
    return tidy;
}

void tidy_free(struct tidy *tidy)
{
    if (!tidy)
        return;
    pthread_mutex_lock(&tidy->lock);
    tidy->ending = true;
    pthread_cond_signal(&tidy->changed);
    pthread_mutex_unlock(&tidy->lock);
    if (tidy->running)
        pthread_join(tidy->thread, NULL);
    pthread_cond_destroy(&tidy->changed);
    pthread_mutex_destroy(&tidy->lock);
    free(tidy);
}

void tidy_worked(struct tidy *tidy)
{
    pthread_mutex_lock(&tidy->lock);
    tidy->last_ms = mono_ms();
    if (!tidy->worked)
        pthread_cond_signal(&tidy->changed);
    tidy->worked = true;
    pthread_mutex_unlock(&tidy->lock);
}
