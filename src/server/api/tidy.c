/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tidy.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sleeper.h"

struct tidy {
    int64_t quiet_ms;
    bool (*action)(void *context);
    void *context;
    struct sleeper sleeper; /* its lock: everything below */
    bool worked;
    int64_t last_ms;
};

/* Under the lock: sleeps until there was work and then none for long enough. False at the end. */
static bool await_quiet(struct tidy *tidy)
{
    int64_t at_ms;
    do {
        at_ms = tidy->worked ? tidy->last_ms + tidy->quiet_ms : INT64_MAX;
        if (mono_ms() >= at_ms)
            return !tidy->sleeper.ended;
    } while (sleeper_wait(&tidy->sleeper, at_ms));
    return false;
}

static void *tidy_run(void *context)
{
    struct tidy *tidy = context;
    pthread_mutex_lock(&tidy->sleeper.lock);
    while (await_quiet(tidy)) {
        tidy->worked = false;
        pthread_mutex_unlock(&tidy->sleeper.lock);
        bool more = tidy->action(tidy->context);
        pthread_mutex_lock(&tidy->sleeper.lock);
        if (more && !tidy->worked) {
            tidy->worked = true;
            tidy->last_ms = mono_ms();
        }
    }
    pthread_mutex_unlock(&tidy->sleeper.lock);
    return NULL;
}

struct tidy *tidy_new(int64_t quiet_ms, bool (*action)(void *context), void *context)
{
    struct tidy *tidy = xcalloc(1, sizeof *tidy);
    tidy->quiet_ms = quiet_ms;
    tidy->action = action;
    tidy->context = context;
    sleeper_init(&tidy->sleeper);
    sleeper_start(&tidy->sleeper, tidy_run, tidy);
    return tidy;
}

void tidy_free(struct tidy *tidy)
{
    if (!tidy)
        return;
    sleeper_end(&tidy->sleeper);
    free(tidy);
}

void tidy_worked(struct tidy *tidy)
{
    pthread_mutex_lock(&tidy->sleeper.lock);
    tidy->last_ms = mono_ms();
    if (!tidy->worked)
        sleeper_wake(&tidy->sleeper);
    tidy->worked = true;
    pthread_mutex_unlock(&tidy->sleeper.lock);
}
