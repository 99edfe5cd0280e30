/* SPDX-License-Identifier: Apache-2.0 */
#include "http/workers.h"

#include <pthread.h>

#include "base/mem.h"

struct task {
    struct task *next;
    void (*run)(void *context);
    void *context;
};

struct workers {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t more;
    struct task *first, **last;
    int queued, max_queued, busy;
    bool ending;
    int thread_count, max_threads; /* begun when there is work for one more */
    pthread_t threads[];
};

static void *work(void *context)
{
    struct workers *workers = context;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (!workers->first && !workers->ending)
            pthread_cond_wait(&workers->more, &workers->lock);
        struct task *task = workers->first;
        if (!task)
            break;
        workers->first = task->next;
        if (!workers->first)
            workers->last = &workers->first;
        workers->queued--;
        workers->busy++;
        pthread_mutex_unlock(&workers->lock);
        task->run(task->context);
        free(task);
        pthread_mutex_lock(&workers->lock);
        workers->busy--;
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

struct workers *workers_new(int threads, int max_queued)
{
    struct workers *workers =
        xcalloc(1, sizeof *workers + (size_t)threads * sizeof workers->threads[0]);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->more, NULL);
    workers->last = &workers->first;
    workers->max_queued = max_queued;
    workers->max_threads = threads;
    return workers;
}

void workers_end(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->ending = true;
    pthread_cond_broadcast(&workers->more);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    workers->thread_count = 0;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    workers_end(workers);
    pthread_cond_destroy(&workers->more);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

/* Under the lock: is there a thread for one task more, or one that will come to it? */
static bool have_thread(struct workers *workers)
{
    bool all_busy = workers->busy + workers->queued >= workers->thread_count;
    if (all_busy && workers->thread_count < workers->max_threads &&
        pthread_create(&workers->threads[workers->thread_count], NULL, work, workers) == 0)
        workers->thread_count++;
    return workers->thread_count > 0;
}

static bool submit(struct workers *workers, void (*run)(void *context), void *context, bool forced)
{
    struct task *task = xmalloc(sizeof *task);
    *task = (struct task){.run = run, .context = context};
    pthread_mutex_lock(&workers->lock);
    bool room = !workers->ending && (forced || workers->queued < workers->max_queued) &&
                have_thread(workers);
    if (room) {
        *workers->last = task;
        workers->last = &task->next;
        workers->queued++;
        pthread_cond_signal(&workers->more);
    }
    pthread_mutex_unlock(&workers->lock);
    if (!room)
        free(task);
    return room;
}

bool workers_submit(struct workers *workers, void (*run)(void *context), void *context)
{
    return submit(workers, run, context, false);
}

bool workers_resubmit(struct workers *workers, void (*run)(void *context), void *context)
{
    return submit(workers, run, context, true);
}

void workers_counts(struct workers *workers, int *out_busy, int *out_queued)
{
    pthread_mutex_lock(&workers->lock);
    *out_busy = workers->busy;
    *out_queued = workers->queued;
    pthread_mutex_unlock(&workers->lock);
}
