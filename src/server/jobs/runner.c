/* SPDX-License-Identifier: Apache-2.0 */
/* The workers: claim, run, write down how it ended. One more thread, the heart, renews the leases
 * while anything runs. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs_internal.h"

enum { TELL_EVERY_MS = 80 };

const char *job_run_request(const struct job_run *run)
{
    return run->lease.request;
}

int64_t job_run_waited_ms(const struct job_run *run)
{
    int64_t waited = wall_ms() - run->lease.created_ms;
    return waited > 0 ? waited : 0;
}

bool job_run_cancelled(const struct job_run *run)
{
    return atomic_load_explicit(&run->cancelled, memory_order_relaxed) ||
           atomic_load_explicit(&run->yield, memory_order_relaxed) ||
           atomic_load_explicit(&run->lost, memory_order_relaxed);
}

void job_run_progress(struct job_run *run, const char *stage, double percent, int64_t eta_ms)
{
    struct jobs *jobs = run->jobs;
    int64_t now = mono_ms();
    pthread_mutex_lock(&jobs->lock);
    bool new_stage = strcmp(run->stage, stage) != 0;
    snprintf(run->stage, sizeof run->stage, "%s", stage);
    if (percent > run->progress)
        run->progress = percent < 100 ? percent : 100;
    run->eta_ms = eta_ms;
    bool tell = new_stage || now - run->told_mono_ms >= TELL_EVERY_MS;
    if (tell) {
        run->told_mono_ms = now;
        run->revision = jobs_next_revision(jobs);
    }
    pthread_mutex_unlock(&jobs->lock);
    if (tell)
        watches_wake(jobs->watches, run->lease.id);
}

bool job_run_note(struct job_run *run, const char *key, const char *value, struct error *err)
{
    return table_note(run->jobs->table, run->lease.id, key, value, err) ||
           error_wrap(err, "note %s", key);
}

char *job_run_noted(struct job_run *run, const char *key)
{
    return table_noted(run->jobs->table, run->lease.id, key);
}

static bool may_help(enum error_kind kind)
{
    return kind == ERROR_UNAVAILABLE || kind == ERROR_TIMEOUT;
}

/* Decides what a failed attempt means. */
static void judge(struct job_run *run, const struct error *why, struct outcome *out)
{
    struct jobs *jobs = run->jobs;
    out->error = why;
    out->state = JOB_ERROR;
    if (why->kind == ERROR_CANCELLED) {
        bool asked = atomic_load(&run->cancelled);
        out->state = asked || !atomic_load(&run->yield) ? JOB_CANCELLED : JOB_QUEUED;
        out->error = NULL;
    } else if (may_help(why->kind) && run->lease.tries + 1 < jobs->options.max_tries) {
        int64_t wait_ms = jobs->options.first_retry_ms << run->lease.tries;
        out->state = JOB_QUEUED;
        out->not_before_ms = wall_ms() + wait_ms;
        out->counts = true;
        atomic_fetch_add(&jobs->retries, 1);
        log_warn("job.retry", LOG_INT("wait_ms", wait_ms), LOG_ERROR(why));
    }
}

static char *attempt(struct job_run *run, struct error *err)
{
    if (run->lease.crashes > run->jobs->options.max_crashes) {
        error_set(err, ERROR_INTERNAL, "given up after %d crashes", run->lease.crashes);
        error_about(err, NULL, "job_crashed");
        return NULL;
    }
    *err = (struct error){.kind = ERROR_INTERNAL, .text = "the handler failed without a reason"};
    return run->jobs->handler(run->jobs->context, run, err);
}

static void run_list_add(struct jobs *jobs, struct job_run *run)
{
    pthread_mutex_lock(&jobs->lock);
    run->next = jobs->runs;
    jobs->runs = run;
    /* A stop or cancellation that came between claim and now must not be missed. */
    if (jobs->quit)
        atomic_store(&run->yield, true);
    pthread_cond_broadcast(&jobs->work); /* the heart begins to beat */
    pthread_mutex_unlock(&jobs->lock);
    bool held = true, cancel = false;
    if (table_renew(jobs->table, run->lease.id, wall_ms() + jobs->options.lease_ms, &held, &cancel,
                    NULL) &&
        cancel)
        atomic_store(&run->cancelled, true);
}

static void run_list_remove(struct jobs *jobs, struct job_run *run)
{
    pthread_mutex_lock(&jobs->lock);
    struct job_run **at = &jobs->runs;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    pthread_cond_broadcast(&jobs->idle);
    pthread_mutex_unlock(&jobs->lock);
}

static void run_one(struct jobs *jobs, struct lease *lease)
{
    struct job_run run = {
        .jobs = jobs, .lease = *lease, .claimed_mono_ms = mono_ms(), .eta_ms = -1};
    log_set_id(lease->id);
    if (lease->crashes > 0) {
        atomic_fetch_add(&jobs->takeovers, 1);
        log_warn("job.taken_over", LOG_INT("crashes", lease->crashes));
    }
    run_list_add(jobs, &run);
    watches_wake(jobs->watches, lease->id);

    struct error why, err;
    AUTO(mem_free) char *result = attempt(&run, &why);
    struct outcome outcome = {.state = JOB_DONE, .result = result};
    if (!result)
        judge(&run, &why, &outcome);
    bool ended = table_end(jobs->table, lease->id, &outcome, jobs_stamp(jobs), &err);
    run_list_remove(jobs, &run);
    int64_t took_ms = mono_ms() - run.claimed_mono_ms;
    if (!ended)
        log_error("job.end_lost", LOG_ERROR(&err));
    else if (outcome.state == JOB_ERROR)
        log_error("job.failed", LOG_INT("took_ms", took_ms), LOG_ERROR(&why));
    else
        log_info("job.ended", LOG_TEXT("state", job_state_name(outcome.state)),
                 LOG_INT("took_ms", took_ms));
    watches_wake(jobs->watches, lease->id);
    free(lease->request);
    log_set_id(NULL);
}

/* Until something was submitted, or `until_ms` (wall clock). */
static void rest(struct jobs *jobs, int64_t until_ms)
{
    /* What another process on the same file does wakes nobody here. */
    int64_t longest_ms = table_alone(jobs->table) ? 60 * 1000 : 1000;
    int64_t wait_ms = until_ms == INT64_MAX ? longest_ms : until_ms - wall_ms();
    wait_ms = wait_ms < 10 ? 10 : wait_ms > longest_ms ? longest_ms : wait_ms;
    struct timespec deadline = cond_deadline(mono_ms() + wait_ms);
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->poked && !atomic_load(&jobs->stopping))
        if (pthread_cond_timedwait(&jobs->work, &jobs->lock, &deadline) != 0)
            break;
    jobs->poked = false;
    pthread_mutex_unlock(&jobs->lock);
}

static void *worker_main(void *context)
{
    struct jobs *jobs = context;
    while (!atomic_load(&jobs->stopping)) {
        struct lease lease;
        struct error err;
        int64_t next_ms = wall_ms() + 1000;
        switch (table_claim(jobs->table, jobs->options.lease_ms, jobs_stamp(jobs), &lease, &next_ms,
                            &err)) {
        case CLAIM_GOT:
            jobs_poke(jobs); /* there may be more */
            run_one(jobs, &lease);
            break;
        case CLAIM_FAILED:
            log_error("jobs.claim_failed", LOG_ERROR(&err));
            rest(jobs, next_ms);
            break;
        case CLAIM_NONE:
            rest(jobs, next_ms);
            break;
        }
    }
    return NULL;
}

static void renew(struct jobs *jobs, const char *id)
{
    bool held = true, cancel = false;
    struct error err;
    if (!table_renew(jobs->table, id, wall_ms() + jobs->options.lease_ms, &held, &cancel, &err)) {
        log_error("jobs.renew_failed", LOG_ERROR(&err));
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    struct job_run *run = jobs_run_of(jobs, id);
    if (run && !held)
        atomic_store(&run->lost, true);
    if (run && cancel)
        atomic_store(&run->cancelled, true);
    pthread_mutex_unlock(&jobs->lock);
}

static void renew_all(struct jobs *jobs)
{
    char ids[64][JOB_ID_SIZE];
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    for (struct job_run *run = jobs->runs; run && count < 64; run = run->next)
        memcpy(ids[count++], run->lease.id, JOB_ID_SIZE);
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < count; i++)
        renew(jobs, ids[i]);
}

static void *heart_main(void *context)
{
    struct jobs *jobs = context;
    int64_t beat_ms = jobs->options.lease_ms / 3;
    struct timespec next = cond_deadline(mono_ms() + beat_ms);
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->quit) {
        if (pthread_cond_timedwait(&jobs->idle, &jobs->lock, &next) == 0)
            continue;
        next = cond_deadline(mono_ms() + beat_ms);
        if (!jobs->runs)
            continue;
        pthread_mutex_unlock(&jobs->lock);
        renew_all(jobs);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

bool jobs_start(struct jobs *jobs, int workers, job_handler *handler, void *context,
                struct error *err)
{
    assert(!jobs->threads && workers > 0);
    jobs->handler = handler;
    jobs->context = context;
    jobs->threads = xcalloc((size_t)workers, sizeof *jobs->threads);
    int failed = pthread_create(&jobs->heart, NULL, heart_main, jobs);
    jobs->beating = failed == 0;
    while (failed == 0 && jobs->workers < workers) {
        failed = pthread_create(&jobs->threads[jobs->workers], NULL, worker_main, jobs);
        jobs->workers += failed == 0;
    }
    return failed == 0 || error_os(err, failed, "start a worker");
}

bool jobs_stopping(const struct jobs *jobs)
{
    return atomic_load(&jobs->stopping);
}

static void tell_to_yield(struct jobs *jobs)
{
    jobs->quit = true;
    for (struct job_run *run = jobs->runs; run; run = run->next)
        atomic_store(&run->yield, true);
    pthread_cond_broadcast(&jobs->idle);
}

void jobs_stop(struct jobs *jobs, int64_t grace_ms)
{
    bool first = !atomic_exchange(&jobs->stopping, true);
    if (first)
        watches_wake(jobs->watches, NULL);
    struct timespec deadline = cond_deadline(mono_ms() + grace_ms);
    pthread_mutex_lock(&jobs->lock);
    pthread_cond_broadcast(&jobs->work);
    while (jobs->runs && grace_ms > 0)
        if (pthread_cond_timedwait(&jobs->idle, &jobs->lock, &deadline) == ETIMEDOUT)
            break;
    tell_to_yield(jobs);
    pthread_mutex_unlock(&jobs->lock);

    for (int i = 0; i < jobs->workers; i++)
        pthread_join(jobs->threads[i], NULL);
    jobs->workers = 0;
    if (jobs->beating)
        pthread_join(jobs->heart, NULL);
    jobs->beating = false;
    free(TAKE(jobs->threads));
}
