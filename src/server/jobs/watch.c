/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/watch_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "jobs/jobs.h"

struct job_watch {
    struct watches *watches;
    struct job_watch *next;
    char id[JOB_ID_SIZE]; /* "" is every job */
    void (*wake)(void *context);
    void *context;
};

struct watches {
    pthread_mutex_t lock; /* of the list; held while waking, so that an ended watch is silent */
    struct job_watch *first;
};

struct watches *watches_new(void)
{
    struct watches *watches = xcalloc(1, sizeof *watches);
    pthread_mutex_init(&watches->lock, NULL);
    return watches;
}

void watches_free(struct watches *watches)
{
    if (!watches)
        return;
    pthread_mutex_destroy(&watches->lock);
    free(watches);
}

struct job_watch *watches_add(struct watches *watches, const char *id, void (*wake)(void *context),
                              void *context)
{
    struct job_watch *watch = xcalloc(1, sizeof *watch);
    watch->watches = watches;
    watch->wake = wake;
    watch->context = context;
    snprintf(watch->id, sizeof watch->id, "%s", id ? id : "");
    pthread_mutex_lock(&watches->lock);
    watch->next = watches->first;
    watches->first = watch;
    pthread_mutex_unlock(&watches->lock);
    return watch;
}

void job_watch_end(struct job_watch *watch)
{
    if (!watch)
        return;
    struct watches *watches = watch->watches;
    pthread_mutex_lock(&watches->lock);
    struct job_watch **at = &watches->first;
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    pthread_mutex_unlock(&watches->lock);
    free(watch);
}

void watches_wake(struct watches *watches, const char *id)
{
    pthread_mutex_lock(&watches->lock);
    for (struct job_watch *watch = watches->first; watch; watch = watch->next)
        if (!id || !watch->id[0] || strcmp(watch->id, id) == 0)
            watch->wake(watch->context);
    pthread_mutex_unlock(&watches->lock);
}
