/* SPDX-License-Identifier: Apache-2.0 */
/* Several threads that do the same until the time is over, counted. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"

enum { MAX_LOOPS = 16 };
struct loops {
    /* Once; `own` is what begin made for this thread, or NULL. */
    bool (*once)(void *bench, void *own, struct error *err);
    void *(*begin)(void *bench); /* or NULL */
    void (*end)(void *own);
    void *bench;
    /* How many are at work at once. A rate's time runs from the end of as many to the last end
     * within the round: what is under way when it begins or ends counts neither as work nor as
     * time. load.py counts in the same way. */
    int begin_with;
    int64_t end_ns;
    pthread_mutex_t lock; /* of what follows */
    int count, counted;
    int64_t from_ns, to_ns; /* of those that are counted */
    double busy_ms;
    bool failed;
};

static void *loops_work(void *raw)
{
    struct loops *loops = raw;
    struct error err = {.text = ""};
    void *own = loops->begin ? loops->begin(loops->bench) : NULL;
    bool done = true;
    while (done && mono_ns() < loops->end_ns) {
        int64_t start_ns = mono_ns();
        done = loops->once(loops->bench, own, &err);
        pthread_mutex_lock(&loops->lock);
        if (!done && !loops->failed)
            fprintf(stderr, "%s\n", err.text);
        loops->failed |= !done;
        int64_t now_ns = mono_ns();
        if (++loops->count == loops->begin_with)
            loops->from_ns = now_ns;
        if (loops->count > loops->begin_with && now_ns < loops->end_ns) {
            loops->counted++;
            loops->to_ns = now_ns;
        }
        loops->busy_ms += (double)(now_ns - start_ns) / 1e6;
        pthread_mutex_unlock(&loops->lock);
    }
    if (loops->begin)
        loops->end(own);
    return NULL;
}

/* Prints how many a second and how long one took; the program's exit status. */
static inline int loops_run(struct loops *loops, int threads, double seconds)
{
    pthread_t running[MAX_LOOPS];
    int64_t start_ns = mono_ns();
    pthread_mutex_init(&loops->lock, NULL);
    loops->end_ns = start_ns + (int64_t)(seconds * 1e9);
    for (int i = 0; i < threads; i++)
        pthread_create(&running[i], NULL, loops_work, loops);
    for (int i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    double took_s = (double)(mono_ns() - start_ns) / 1e9;
    double counted_s = (double)(loops->to_ns - loops->from_ns) / 1e9;
    pthread_mutex_destroy(&loops->lock);
    printf("{\"per_s\": %.3f, \"ms\": %.3f}\n",
           loops->counted ? loops->counted / counted_s : loops->count / took_s,
           loops->busy_ms / loops->count);
    return loops->failed;
}
