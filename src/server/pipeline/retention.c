/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/retention.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs.h"
#include "store/store.h"

enum { EVERY_MS = 15 * 60 * 1000, EVERY_FULL_MS = 60 * 1000, LOOK_MS = 2000 };

struct retention {
    struct store *store;
    struct jobs *jobs;
    retention_tell *tell;
    void *context;
    bool full;        /* as told last; the thread's own, as what follows */
    int64_t swept_ms; /* when */
    pthread_t thread;
    pthread_mutex_t lock; /* of `quit` */
    pthread_cond_t quitting;
    bool quit;
};

static void sweep(struct retention *retention)
{
    int64_t files = 0, jobs = 0;
    struct error err;
    if (!store_sweep(retention->store, wall_ms(), &files, &err) ||
        !jobs_sweep(retention->jobs, wall_ms(), &jobs, &err))
        log_error("retention.failed", LOG_ERROR(&err));
    else if (files > 0 || jobs > 0)
        log_info("retention.removed", LOG_INT("files", files), LOG_INT("jobs", jobs));
}

static void report(struct retention *retention, bool full, const struct error *err)
{
    retention->full = full;
    if (full)
        log_error("disk.full", LOG_ERROR(err));
    else
        log_info("disk.has_room");
    retention->tell(retention->context, full ? err : NULL);
}

static void look(struct retention *retention)
{
    struct error err = {.kind = ERROR_INTERNAL};
    int64_t since_ms = mono_ms() - retention->swept_ms;
    bool full = !store_room(retention->store, STORE_ROOM_BYTES, &err);
    bool news = full && !retention->full;
    if (news || since_ms >= (full ? EVERY_FULL_MS : EVERY_MS)) {
        sweep(retention);
        retention->swept_ms = mono_ms();
        full = !store_room(retention->store, STORE_ROOM_BYTES, &err);
    }
    if (full != retention->full)
        report(retention, full, &err);
}

static void *retention_main(void *context)
{
    struct retention *retention = context;
    retention->swept_ms = mono_ms() - EVERY_MS;
    pthread_mutex_lock(&retention->lock);
    while (!retention->quit) {
        pthread_mutex_unlock(&retention->lock);
        look(retention);
        struct timespec next = cond_deadline(mono_ms() + LOOK_MS);
        pthread_mutex_lock(&retention->lock);
        while (!retention->quit &&
               pthread_cond_timedwait(&retention->quitting, &retention->lock, &next) != ETIMEDOUT)
            ;
    }
    pthread_mutex_unlock(&retention->lock);
    return NULL;
}

struct retention *retention_start(struct store *store, struct jobs *jobs, retention_tell *tell,
                                  void *context, struct error *err)
{
    struct retention *retention = xcalloc(1, sizeof *retention);
    retention->store = store;
    retention->jobs = jobs;
    retention->tell = tell;
    retention->context = context;
    pthread_mutex_init(&retention->lock, NULL);
    cond_init_mono(&retention->quitting);
    int failed = pthread_create(&retention->thread, NULL, retention_main, retention);
    if (failed == 0)
        return retention;
    error_os(err, failed, "start the retention");
    free(retention);
    return NULL;
}

void retention_stop(struct retention *retention)
{
    if (!retention)
        return;
    pthread_mutex_lock(&retention->lock);
    retention->quit = true;
    pthread_cond_broadcast(&retention->quitting);
    pthread_mutex_unlock(&retention->lock);
    pthread_join(retention->thread, NULL);
    pthread_cond_destroy(&retention->quitting);
    pthread_mutex_destroy(&retention->lock);
    free(retention);
}
