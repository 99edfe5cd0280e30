/* SPDX-License-Identifier: Apache-2.0 */
/* The table of jobs: the only file that knows SQLite. Each call is one transaction. Calls may come
 * from several threads; changes wait for each other, readers do not wait for changes. */
#pragma once

#include "jobs/jobs.h"

struct table;

/* `owner` is who takes leases here. */
MUST_USE struct table *table_open(const char *path, const char *owner, struct error *err);
void table_close(struct table *table);
static inline void table_close_auto(struct table **table)
{
    table_close(*table);
}

/* The largest revision ever written. */
int64_t table_revision(struct table *table);
/* No other process has this file open: whoever worked on the running jobs is dead, so their
 * leases end now. False when somebody else is there. */
bool table_alone(struct table *table);

/* When a change is made, and its place in the order of all changes. */
struct stamp {
    int64_t now_ms, revision;
};

struct lease {
    char id[JOB_ID_SIZE];
    char *request; /* owned */
    int attempts, tries, crashes;
    int64_t created_ms;
};

/* On the disk when it returns. ERROR_LIMIT (queue_full) when `max_waiting` are not finished. */
MUST_USE bool table_insert(struct table *table, const char *id, const char *request,
                           int max_waiting, struct stamp at, struct error *err);
int64_t table_waiting(struct table *table);

enum claim { CLAIM_FAILED, CLAIM_NONE, CLAIM_GOT };
/* The next job that may run. On CLAIM_NONE *out_next_ms is when to look again (wall clock),
 * INT64_MAX when only a submission changes that. */
enum claim table_claim(struct table *table, int64_t lease_ms, struct stamp at, struct lease *out,
                       int64_t *out_next_ms, struct error *err);

/* Renews one lease. *out_held: it is still ours; *out_cancel: somebody asked for its end. */
MUST_USE bool table_renew(struct table *table, const char *id, int64_t lease_until_ms,
                          bool *out_held, bool *out_cancel, struct error *err);

/* How an attempt ended. */
struct outcome {
    enum job_state state; /* JOB_QUEUED: to be tried again */
    const char *result;
    const struct error *error; /* or NULL */
    int64_t not_before_ms;     /* of the next try */
    bool counts;               /* as a try */
};
/* Only while the lease is still ours; false with ERROR_CONFLICT otherwise. */
MUST_USE bool table_end(struct table *table, const char *id, const struct outcome *outcome,
                        struct stamp at, struct error *err);

/* Cancels a queued job, marks a running one; *out_state is the state before. */
MUST_USE bool table_cancel(struct table *table, const char *id, struct stamp at,
                           enum job_state *out_state, struct error *err);

MUST_USE struct job *table_get(struct table *table, const char *id, struct error *err);
MUST_USE bool table_list(struct table *table, enum job_state state, size_t limit, struct job ***out,
                         size_t *out_count, struct error *err);
void table_counts(struct table *table, struct jobs_counts *out);

MUST_USE bool table_note(struct table *table, const char *id, const char *key, const char *value,
                         struct error *err);
MUST_USE char *table_noted(struct table *table, const char *id, const char *key);

MUST_USE bool table_sweep(struct table *table, int64_t before_ms, int64_t *out_removed,
                          struct error *err);
