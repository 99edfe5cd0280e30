/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/crew_internal.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mem.h"

struct crew {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;
    struct crew_task *first, **last;
    bool quit;
    int threads, started;
    pthread_t ids[];
};

static void *crew_main(void *context)
{
    struct crew *crew = context;
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        struct crew_task *task = crew->first;
        if (!task && crew->quit)
            break;
        if (!task) {
            pthread_cond_wait(&crew->work, &crew->lock);
            continue;
        }
        crew->first = task->next;
        if (!crew->first)
            crew->last = &crew->first;
        pthread_mutex_unlock(&crew->lock);
        task->run(task->context);
        pthread_mutex_lock(&crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

struct crew *crew_new(int threads, struct error *err)
{
    assert(threads > 0);
    struct crew *crew = xcalloc(1, sizeof *crew + (size_t)threads * sizeof crew->ids[0]);
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->work, NULL);
    crew->last = &crew->first;
    crew->threads = threads;
    int failed = 0;
    while (failed == 0 && crew->started < threads) {
        failed = pthread_create(&crew->ids[crew->started], NULL, crew_main, crew);
        crew->started += failed == 0;
    }
    if (failed == 0)
        return crew;
    error_os(err, failed, "start a thread");
    crew_free(crew);
    return NULL;
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->quit = true;
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 0; i < crew->started; i++)
        pthread_join(crew->ids[i], NULL);
    assert(!crew->first);
    pthread_cond_destroy(&crew->work);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void crew_submit(struct crew *crew, struct crew_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&crew->lock);
    *crew->last = task;
    crew->last = &task->next;
    pthread_cond_signal(&crew->work);
    pthread_mutex_unlock(&crew->lock);
}

int crew_threads(const struct crew *crew)
{
    return crew->threads;
}
