/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue: what was accepted gets done, once, whatever happens in between.
 *
 *     queued ──lease──► running ──► done | error | cancelled
 *        ▲                 │
 *        └─ back-off, or the lease ran out (a crash): somebody else goes on
 *
 * A job is a request (JSON, meaning nothing to this module) that a handler turns into a result
 * (JSON). It lives in an SQLite database in WAL mode; jobs_submit returns after the commit is on
 * the disk. A worker leases a job and renews the lease while it works; when the process died, the
 * next start (or another process on the same file, after the lease has run out) takes it over.
 * Handlers must therefore be able to run twice: publish by a name derived from the request.
 *
 * Who waits for a job asks to be woken (jobs_watch) and then looks; nobody polls. Threads: all
 * functions may be called from any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"

enum { JOB_ID_SIZE = 27, JOB_STAGE_SIZE = 32 };

enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_ERROR, JOB_CANCELLED, JOB_STATES };
const char *job_state_name(enum job_state state); /* "queued", "running", "done", … */
static inline bool job_state_final(enum job_state state)
{
    return state >= JOB_DONE;
}

/* A job as it stood when it was asked for: a copy, the caller's. */
struct job {
    char id[JOB_ID_SIZE]; /* 26 characters of 0-9 a-z, unguessable, in order of creation */
    enum job_state state;
    int64_t revision;           /* grows with every visible change, across restarts too; the
                                   "id:" of an event, so that Last-Event-ID can resume */
    char stage[JOB_STAGE_SIZE]; /* "" before the first */
    double progress;            /* percent, 0..100; only ever grows */
    int64_t eta_ms;             /* until it is done, -1 when not known */
    int position;               /* 1 is next; 0 unless queued */
    int attempts;
    int64_t created_ms, started_ms, completed_ms; /* wall clock, 0 when not yet */
    char *request;                                /* JSON */
    char *result;                                 /* JSON; NULL unless done */
    struct {
        enum error_kind kind;
        char *code, *field, *text; /* code and field may be NULL; text is NULL without an error */
    } error;
};
void job_free(struct job *job);
static inline void job_free_auto(struct job **job)
{
    job_free(*job);
}

struct jobs_options {
    const char *path;       /* of the database file; made when it is not there */
    int max_waiting;        /* queued and running together; 0: 64 */
    int max_tries;          /* of a job whose handler says that a retry may help; 0: 4 */
    int max_crashes;        /* of the process while it ran, before it is given up; 0: 40 */
    int64_t lease_ms;       /* 0: 15 s */
    int64_t keep_ms;        /* of finished jobs, for jobs_sweep; 0: 30 days */
    int64_t first_retry_ms; /* doubles each time; 0: 1 s */
};

struct jobs;
/* A database that cannot be read is moved aside (PATH.broken-TIME), logged, and a new one begun;
 * one of a newer program is an error (ERROR_CONFLICT). */
MUST_USE struct jobs *jobs_open(const struct jobs_options *options, struct error *err);
/* Stops the workers as jobs_stop(…, 0) does, then closes. */
void jobs_close(struct jobs *jobs);
static inline void jobs_close_auto(struct jobs **jobs)
{
    jobs_close(*jobs);
}

/* On the disk when it returns. ERROR_LIMIT (queue_full) when too many wait, ERROR_UNAVAILABLE
 * (shutting_down) while stopping. */
MUST_USE bool jobs_submit(struct jobs *jobs, const char *request, char out_id[JOB_ID_SIZE],
                          struct error *err);
/* Fails like jobs_submit would, before work is put into preparing a request. */
MUST_USE bool jobs_room(struct jobs *jobs, struct error *err);

/* Jobs that are queued or running. */
int64_t jobs_waiting(struct jobs *jobs);

/* NULL and ERROR_NOT_FOUND (job_unknown) for what is no job's id. */
MUST_USE struct job *jobs_get(struct jobs *jobs, const char *id, struct error *err);

/* A queued job is cancelled when it returns; a running one is told to stop, which takes at most
 * about 200 ms and ends as cancelled. ERROR_CONFLICT (job_finished) when it is over already. */
MUST_USE bool jobs_cancel(struct jobs *jobs, const char *id, struct error *err);

/* The latest first, at most `limit`, only those in `state` unless that is JOB_STATES; requests
 * and results included. Each to be freed with job_free, the array with free. */
MUST_USE bool jobs_list(struct jobs *jobs, enum job_state state, size_t limit,
                        struct job ***out_jobs, size_t *out_count, struct error *err);

struct jobs_counts {
    int64_t states[JOB_STATES]; /* jobs in the database */
    int64_t oldest_queued_ms;   /* wall clock of creation, 0 when none waits */
    int64_t retries, takeovers; /* since the start */
    int max_waiting;
};
void jobs_counts(struct jobs *jobs, struct jobs_counts *out);

/* Calls `wake` after each visible change of the job (of every job when `id` is NULL), and when
 * the workers begin to stop. `wake` runs on whatever thread made the change: it may set a flag,
 * write to an eventfd or resume a connection, but must not block nor call this module. Changes
 * may be merged: look at the job and compare revisions. */
struct job_watch;
MUST_USE struct job_watch *jobs_watch(struct jobs *jobs, const char *id,
                                      void (*wake)(void *context), void *context);
/* When it returns, `wake` is not running and will not be called again. */
void job_watch_end(struct job_watch *watch);

/* Waits until the job's revision is above `after`, at most `timeout_ms`; false (without an error
 * to report) when that ran out. For tests. */
bool jobs_wait(struct jobs *jobs, const char *id, int64_t after, int64_t timeout_ms);

/* One attempt at a job, as its handler sees it. */
struct job_run;
const char *job_run_request(const struct job_run *run);
/* From the moment of the submission, monotonic clock. */
int64_t job_run_waited_ms(const struct job_run *run);
/* To be looked at often (every few ms of work): stop and return ERROR_CANCELLED. */
bool job_run_cancelled(const struct job_run *run);
/* Cheap; may be called for every frame. Progress never goes back: a lower value is ignored. */
void job_run_progress(struct job_run *run, const char *stage, double percent, int64_t eta_ms);
/* A fact that must survive a crash (a vendor's identifier), on the disk when it returns; the
 * next attempt reads it back. NULL when there is none; to be freed. */
MUST_USE bool job_run_note(struct job_run *run, const char *key, const char *value,
                           struct error *err);
MUST_USE char *job_run_noted(struct job_run *run, const char *key);

/* Returns the result (JSON, from malloc), or NULL and an error: ERROR_CANCELLED ends the job as
 * cancelled (as queued again while stopping), ERROR_UNAVAILABLE and ERROR_TIMEOUT are tried again
 * later, anything else is final. */
typedef char *job_handler(void *context, struct job_run *run, struct error *err);

/* Starts `workers` threads. Unfinished jobs of an earlier process are taken up. */
MUST_USE bool jobs_start(struct jobs *jobs, int workers, job_handler *handler, void *context,
                         struct error *err);

/* No new jobs from here on; running ones may finish for `grace_ms`, then they are told to stop
 * and stay queued for the next start. Watchers are woken. */
void jobs_stop(struct jobs *jobs, int64_t grace_ms);
bool jobs_stopping(const struct jobs *jobs);

/* Forgets jobs that ended more than keep_ms before `now_ms` (wall clock). */
MUST_USE bool jobs_sweep(struct jobs *jobs, int64_t now_ms, int64_t *out_removed,
                         struct error *err);
