/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/jobs.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs_internal.h"

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATES] = {"queued", "running", "done", "error",
                                                  "cancelled"};
    return names[state];
}

void job_free(struct job *job)
{
    if (!job)
        return;
    free(job->request);
    free(job->result);
    free(job->error.code);
    free(job->error.field);
    free(job->error.text);
    free(job);
}

/* 48 bits of time, so that identifiers sort, and 80 of chance, so that nobody guesses one. */
void jobs_id_new(char out[JOB_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t chance[16];
    while (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        ;
    uint64_t time = (uint64_t)wall_ms();
    for (int i = 9; i >= 0; i--, time >>= 5)
        out[i] = digits[time & 31];
    for (int i = 0; i < 16; i++)
        out[10 + i] = digits[chance[i] & 31];
    out[JOB_ID_SIZE - 1] = '\0';
}

struct stamp jobs_stamp(struct jobs *jobs)
{
    return (struct stamp){wall_ms(), jobs_next_revision(jobs)};
}

int64_t jobs_next_revision(struct jobs *jobs)
{
    int64_t now = wall_ms();
    int64_t before = atomic_load(&jobs->revision), next;
    do {
        next = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(&jobs->revision, &before, next));
    return next;
}

static void defaults(struct jobs_options *options)
{
    if (options->max_waiting == 0)
        options->max_waiting = 64;
    if (options->max_tries == 0)
        options->max_tries = 4;
    if (options->max_crashes == 0)
        options->max_crashes = 40;
    if (options->lease_ms == 0)
        options->lease_ms = 15 * 1000;
    if (options->keep_ms == 0)
        options->keep_ms = INT64_C(30) * 24 * 60 * 60 * 1000;
    if (options->first_retry_ms == 0)
        options->first_retry_ms = 1000;
}

struct jobs *jobs_open(const struct jobs_options *options, struct error *err)
{
    struct error ignored;
    char owner[JOB_ID_SIZE];
    jobs_id_new(owner);
    struct table *table = table_open(options->path, owner, err ? err : &ignored);
    if (!table)
        return NULL;
    struct jobs *jobs = xcalloc(1, sizeof *jobs);
    jobs->options = *options;
    jobs->options.path = NULL;
    defaults(&jobs->options);
    jobs->table = table;
    jobs->watches = watches_new();
    atomic_store(&jobs->revision, table_revision(table));
    pthread_mutex_init(&jobs->lock, NULL);
    cond_init_mono(&jobs->work);
    cond_init_mono(&jobs->idle);
    return jobs;
}

void jobs_close(struct jobs *jobs)
{
    if (!jobs)
        return;
    jobs_stop(jobs, 0);
    table_close(jobs->table);
    watches_free(jobs->watches);
    pthread_cond_destroy(&jobs->work);
    pthread_cond_destroy(&jobs->idle);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs);
}

void jobs_poke(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->poked = true;
    pthread_cond_signal(&jobs->work);
    pthread_mutex_unlock(&jobs->lock);
}

static bool open_for_work(struct jobs *jobs, struct error *err)
{
    if (!jobs_stopping(jobs))
        return true;
    error_set(err, ERROR_UNAVAILABLE, "the server is shutting down");
    return error_about(err, NULL, "shutting_down");
}

bool jobs_submit(struct jobs *jobs, const char *request, char out_id[JOB_ID_SIZE],
                 struct error *err)
{
    if (!open_for_work(jobs, err))
        return false;
    jobs_id_new(out_id);
    if (!table_insert(jobs->table, out_id, request, jobs->options.max_waiting, jobs_stamp(jobs),
                      err))
        return error_wrap(err, "submit");
    jobs_poke(jobs);
    watches_wake(jobs->watches, out_id);
    return true;
}

bool jobs_room(struct jobs *jobs, struct error *err)
{
    if (!open_for_work(jobs, err))
        return false;
    if (table_waiting(jobs->table) < jobs->options.max_waiting)
        return true;
    error_set(err, ERROR_LIMIT, "%d messages are waiting already", jobs->options.max_waiting);
    return error_about(err, NULL, "queue_full");
}

int64_t jobs_waiting(struct jobs *jobs)
{
    return table_waiting(jobs->table);
}

struct job_run *jobs_run_of(struct jobs *jobs, const char *id)
{
    struct job_run *run = jobs->runs;
    while (run && strcmp(run->lease.id, id) != 0)
        run = run->next;
    return run;
}

/* What only this process knows of a job that it works on. */
static void overlay(struct jobs *jobs, struct job *job)
{
    if (job->state != JOB_RUNNING)
        return;
    pthread_mutex_lock(&jobs->lock);
    const struct job_run *run = jobs_run_of(jobs, job->id);
    if (run) {
        if (run->revision > job->revision)
            job->revision = run->revision;
        memcpy(job->stage, run->stage, sizeof job->stage);
        job->progress = run->progress;
        job->eta_ms = run->eta_ms;
    }
    pthread_mutex_unlock(&jobs->lock);
}

struct job *jobs_get(struct jobs *jobs, const char *id, struct error *err)
{
    struct job *job = table_get(jobs->table, id, err);
    if (job)
        overlay(jobs, job);
    return job;
}

bool jobs_cancel(struct jobs *jobs, const char *id, struct error *err)
{
    enum job_state before;
    if (!table_cancel(jobs->table, id, jobs_stamp(jobs), &before, err))
        return error_wrap(err, "cancel");
    if (job_state_final(before)) {
        error_set(err, ERROR_CONFLICT, "the job is %s already", job_state_name(before));
        return error_about(err, NULL, "job_finished");
    }
    pthread_mutex_lock(&jobs->lock);
    struct job_run *run = jobs_run_of(jobs, id);
    if (run)
        atomic_store(&run->cancelled, true);
    pthread_mutex_unlock(&jobs->lock);
    watches_wake(jobs->watches, id);
    return true;
}

bool jobs_list(struct jobs *jobs, enum job_state state, size_t limit, struct job ***out_jobs,
               size_t *out_count, struct error *err)
{
    if (!table_list(jobs->table, state, limit, out_jobs, out_count, err))
        return error_wrap(err, "list jobs");
    for (size_t i = 0; i < *out_count; i++)
        overlay(jobs, (*out_jobs)[i]);
    return true;
}

void jobs_counts(struct jobs *jobs, struct jobs_counts *out)
{
    *out = (struct jobs_counts){
        .retries = atomic_load(&jobs->retries),
        .takeovers = atomic_load(&jobs->takeovers),
        .max_waiting = jobs->options.max_waiting,
    };
    table_counts(jobs->table, out);
}

struct job_watch *jobs_watch(struct jobs *jobs, const char *id, void (*wake)(void *context),
                             void *context)
{
    return watches_add(jobs->watches, id, wake, context);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken;
};

static void waiter_wake(void *context)
{
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->lock);
    waiter->woken = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

bool jobs_wait(struct jobs *jobs, const char *id, int64_t after, int64_t timeout_ms)
{
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER};
    cond_init_mono(&waiter.changed);
    struct job_watch *watch = jobs_watch(jobs, id, waiter_wake, &waiter);
    struct timespec deadline = cond_deadline(mono_ms() + timeout_ms);
    bool changed = false, expired = false;
    while (!changed && !expired) {
        pthread_mutex_lock(&waiter.lock);
        waiter.woken = false;
        pthread_mutex_unlock(&waiter.lock);
        AUTO(job_free) struct job *job = jobs_get(jobs, id, NULL);
        changed = job && job->revision > after;
        pthread_mutex_lock(&waiter.lock);
        while (!changed && !waiter.woken && !expired)
            expired = pthread_cond_timedwait(&waiter.changed, &waiter.lock, &deadline) != 0;
        pthread_mutex_unlock(&waiter.lock);
    }
    job_watch_end(watch);
    pthread_cond_destroy(&waiter.changed);
    pthread_mutex_destroy(&waiter.lock);
    return changed;
}

bool jobs_sweep(struct jobs *jobs, int64_t now_ms, int64_t *out_removed, struct error *err)
{
    return table_sweep(jobs->table, now_ms - jobs->options.keep_ms, out_removed, err) ||
           error_wrap(err, "sweep jobs");
}
