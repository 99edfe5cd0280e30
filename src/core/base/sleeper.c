/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sleeper.h"

#include "base/cond.h"

void sleeper_init(struct sleeper *sleeper)
{
    *sleeper = (struct sleeper){.running = false};
    pthread_mutex_init(&sleeper->lock, NULL);
    cond_init_mono(&sleeper->changed);
}

bool sleeper_start(struct sleeper *sleeper, void *(*run)(void *context), void *context)
{
    if (!sleeper->running)
        sleeper->running = pthread_create(&sleeper->thread, NULL, run, context) == 0;
    return sleeper->running;
}

void sleeper_end(struct sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->lock);
    sleeper->ended = true;
    pthread_cond_signal(&sleeper->changed);
    pthread_mutex_unlock(&sleeper->lock);
    if (sleeper->running)
        pthread_join(sleeper->thread, NULL);
    pthread_cond_destroy(&sleeper->changed);
    pthread_mutex_destroy(&sleeper->lock);
}

bool sleeper_wait(struct sleeper *sleeper, int64_t at_ms)
{
    if (!sleeper->ended && at_ms == INT64_MAX)
        pthread_cond_wait(&sleeper->changed, &sleeper->lock);
    else if (!sleeper->ended)
        cond_wait_until(&sleeper->changed, &sleeper->lock, at_ms);
    return !sleeper->ended;
}

void sleeper_wake(struct sleeper *sleeper)
{
    pthread_cond_signal(&sleeper->changed);
}
