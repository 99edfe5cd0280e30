/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/loop.h"

enum { MAX_THREADS = 8 };

struct item {
    struct item *next;
    struct pool_task task;
};

struct list {
    struct item *first, **end;
};

struct pool {
    struct wake *wake;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;
    struct list waiting, finished;
    unsigned idle, queued;
    bool stopping;
    /* the loop's thread only */
    pthread_t threads[MAX_THREADS];
    unsigned started, limit;
};

static void list_push(struct list *list, struct item *item)
{
    item->next = NULL;
    *list->end = item;
    list->end = &item->next;
}

static struct item *list_pop(struct list *list)
{
    struct item *item = list->first;
    if (item) {
        list->first = item->next;
        if (!list->first)
            list->end = &list->first;
    }
    return item;
}

static struct item *list_take_all(struct list *list)
{
    struct item *first = list->first;
    list->first = NULL;
    list->end = &list->first;
    return first;
}

static void *worker(void *context)
{
    struct pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        struct item *item = list_pop(&pool->waiting);
        if (!item) {
            pool->idle++;
            pthread_cond_wait(&pool->work, &pool->lock);
            pool->idle--;
            continue;
        }
        pool->queued--;
        pthread_mutex_unlock(&pool->lock);
        item->task.run(item->task.context);
        pthread_mutex_lock(&pool->lock);
        list_push(&pool->finished, item);
        wake_signal(pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void finish(struct item *item)
{
    while (item) {
        struct item *next = item->next;
        struct pool_task task = item->task;
        free(item);
        if (task.done)
            task.done(task.context);
        item = next;
    }
}

static void on_finished(void *context)
{
    struct pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    struct item *items = list_take_all(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
    finish(items);
}

struct pool *pool_new(struct loop *loop, unsigned threads)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pool->limit = threads ? threads : cores > 0 ? (unsigned)cores : 1;
    if (pool->limit > MAX_THREADS)
        pool->limit = MAX_THREADS;
    pool->waiting.end = &pool->waiting.first;
    pool->finished.end = &pool->finished.first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->wake = wake_new(loop, on_finished, pool);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->threads[i], NULL);
    struct item *finished = list_take_all(&pool->finished);
    struct item *dropped = list_take_all(&pool->waiting);
    finish(finished);
    finish(dropped);
    wake_free(pool->wake);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void pool_submit(struct pool *pool, const struct pool_task *task)
{
    struct item *item = xmalloc(sizeof *item);
    item->task = *task;
    pthread_mutex_lock(&pool->lock);
    list_push(&pool->waiting, item);
    pool->queued++;
    bool more = pool->queued > pool->idle && pool->started < pool->limit;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    if (more && pthread_create(&pool->threads[pool->started], NULL, worker, pool) == 0)
        pool->started++;
    assert(pool->started > 0);
}

unsigned pool_threads(const struct pool *pool)
{
    return pool->limit;
}
