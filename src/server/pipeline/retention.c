/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/retention.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sleeper.h"
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
    struct sleeper sleeper;
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
    struct sleeper *sleeper = &retention->sleeper;
    int64_t next_ms = mono_ms();
    retention->swept_ms = next_ms - EVERY_MS;
    pthread_mutex_lock(&sleeper->lock);
    while (sleeper_wait(sleeper, next_ms)) {
        pthread_mutex_unlock(&sleeper->lock);
        look(retention);
        next_ms = mono_ms() + LOOK_MS;
        pthread_mutex_lock(&sleeper->lock);
    }
    pthread_mutex_unlock(&sleeper->lock);
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
    sleeper_init(&retention->sleeper);
    if (sleeper_start(&retention->sleeper, retention_main, retention))
        return retention;
    error_os(err, EAGAIN, "start the retention");
    retention_stop(retention);
    return NULL;
}

void retention_stop(struct retention *retention)
{
    if (!retention)
        return;
    sleeper_end(&retention->sleeper);
    free(retention);
}
