/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "jobs/jobs.h"
#include "jobs/table_internal.h"
#include "jobs/watch_internal.h"

/* One attempt: in the list of its jobs while it runs. */
struct job_run {
    struct jobs *jobs;
    struct job_run *next;
    struct lease lease;
    int64_t claimed_mono_ms;
    atomic_bool cancelled; /* by a person        */
    atomic_bool yield;     /* we are stopping    */
    atomic_bool lost;      /* the lease is gone  */
    /* Below: under jobs->lock. */
    int64_t revision;
    char stage[JOB_STAGE_SIZE];
    double progress;
    int64_t eta_ms;
    int64_t told_mono_ms; /* when watchers were last woken */
};

struct jobs {
    struct jobs_options options; /* without `path` */
    struct table *table;
    struct watches *watches;
    atomic_bool stopping;
    _Atomic int64_t revision, retries, takeovers;

    pthread_mutex_t lock; /* of what follows; never held while waking or in the table */
    pthread_cond_t work;  /* something to claim, or to stop */
    pthread_cond_t idle;  /* a run ended */
    struct job_run *runs;
    bool poked; /* the table changed since the last look */
    bool quit;  /* the heart may stop */
    int workers;
    pthread_t *threads;
    bool beating;
    pthread_t heart;
    job_handler *handler;
    void *context;
};

/* Larger than every revision before it, in this process and earlier ones. */
int64_t jobs_next_revision(struct jobs *jobs);
/* For a change that is made now. */
struct stamp jobs_stamp(struct jobs *jobs);
void jobs_id_new(char out[JOB_ID_SIZE]);
/* Lets a waiting worker look again. */
void jobs_poke(struct jobs *jobs);
/* The run of this job in this process, or NULL. Under the lock. */
struct job_run *jobs_run_of(struct jobs *jobs, const char *id);
