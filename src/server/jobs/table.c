/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/table_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/schema_internal.h"
#include "jobs/sql_internal.h"

/* The numbers are in the database: 0 queued, 1 running, 2 done, 3 error, 4 cancelled. */
_Static_assert(JOB_QUEUED == 0 && JOB_RUNNING == 1 && JOB_DONE == 2 && JOB_ERROR == 3 &&
                   JOB_CANCELLED == 4,
               "states are stored as numbers");

struct table {
    struct sql *writer, *reader;
    int lock_fd; /* held shared while the file is open */
    bool alone;
    char owner[JOB_ID_SIZE]; /* of the leases of this process */
};

/* A lock for the length of a block. */
static struct sql *locked(struct sql *sql)
{
    sql_lock(sql);
    return sql;
}

static void sql_unlock_auto(struct sql **sql)
{
    sql_unlock(*sql);
}

/* NOLINTNEXTLINE(bugprone-macro-parentheses): `name` is declared */
#define LOCKED(name, which) AUTO(sql_unlock) struct sql *name = locked(which)

static void move_aside(const char *path, const struct error *why)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    long long stamp = (long long)wall_ms();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        AUTO(mem_free) char *from = xasprintf("%s%s", path, parts[i]);
        AUTO(mem_free) char *to = xasprintf("%s.broken-%lld%s", path, stamp, parts[i]);
        if (rename(from, to) == 0 && i == 0)
            log_error("jobs.database_moved_aside", LOG_TEXT("path", path), LOG_TEXT("to", to),
                      LOG_ERROR(why));
    }
}

static struct sql *open_writer(const char *path, struct error *err)
{
    AUTO(sql_close) struct sql *sql = sql_open(path, SQL_WRITER, err);
    return sql && schema_prepare(sql, err) ? TAKE(sql) : NULL;
}

static bool lock_file(struct table *table, const char *path, struct error *err)
{
    AUTO(mem_free) char *lock = xasprintf("%s.lock", path);
    table->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (table->lock_fd < 0)
        return error_os(err, errno, "open %s", lock);
    table->alone = flock(table->lock_fd, LOCK_EX | LOCK_NB) == 0;
    return true;
}

struct table *table_open(const char *path, const char *owner, struct error *err)
{
    AUTO(table_close) struct table *table = xcalloc(1, sizeof *table);
    snprintf(table->owner, sizeof table->owner, "%s", owner);
    table->lock_fd = -1;
    if (!lock_file(table, path, err))
        return NULL;
    table->writer = open_writer(path, err);
    if (!table->writer && err->kind == ERROR_INVALID && table->alone) {
        move_aside(path, err);
        table->writer = open_writer(path, err);
    }
    if (table->writer)
        table->reader = sql_open(path, SQL_READER, err);
    if (!table->reader) {
        error_wrap(err, "open %s", path);
        return NULL;
    }
    if (table->alone &&
        !sql_run(table->writer, "UPDATE jobs SET lease_until_ms = 0 WHERE state = 1", err))
        return NULL;
    flock(table->lock_fd, LOCK_SH);
    return TAKE(table);
}

void table_close(struct table *table)
{
    if (!table)
        return;
    sql_close(table->reader);
    sql_close(table->writer);
    if (table->lock_fd >= 0)
        close(table->lock_fd);
    free(table);
}

int64_t table_revision(struct table *table)
{
    LOCKED(sql, table->reader);
    return sql_int(sql, "SELECT max(revision) FROM jobs", 0);
}

bool table_alone(struct table *table)
{
    return table->alone;
}

static bool rolled_back(struct sql *sql)
{
    if (!sql_run(sql, "ROLLBACK", NULL))
        log_warn("jobs.rollback_failed");
    return false;
}

int64_t table_waiting(struct table *table)
{
    LOCKED(sql, table->reader);
    return sql_int(sql, "SELECT count(*) FROM jobs WHERE state < 2", 0);
}

bool table_insert(struct table *table, const char *id, const char *request, int max_waiting,
                  struct stamp at, struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, true);
    int changes = 0;
    struct sqlite3_stmt *insert =
        sql_query(sql,
                  "INSERT INTO jobs(id, state, revision, request, created_ms)"
                  " SELECT ?, 0, ?, ?, ? WHERE (SELECT count(*) FROM jobs WHERE state < 2) < ?",
                  "titii", id, at.revision, request, at.now_ms, (int64_t)max_waiting);
    if (!sql_change(sql, insert, &changes, err))
        return false;
    if (changes == 1)
        return true;
    error_set(err, ERROR_LIMIT, "%d messages are waiting already", max_waiting);
    return error_about(err, NULL, "queue_full");
}

static void next_time(struct sql *sql, int64_t *out_next_ms)
{
    *out_next_ms = sql_int(sql,
                           "SELECT min(CASE state WHEN 0 THEN not_before_ms"
                           " ELSE lease_until_ms END) FROM jobs WHERE state < 2",
                           0);
    if (*out_next_ms == 0)
        *out_next_ms = INT64_MAX; /* min() of nothing is NULL */
}

enum claim table_claim(struct table *table, int64_t lease_ms, struct stamp at, struct lease *out,
                       int64_t *out_next_ms, struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, false); /* lost with the power, it is merely claimed again */
    struct sqlite3_stmt *update =
        sql_query(sql,
                  "UPDATE jobs SET state = 1, owner = ?1, lease_until_ms = ?2 + ?3, revision = ?4,"
                  " attempts = attempts + 1, crashes = crashes + (state = 1),"
                  " started_ms = CASE started_ms WHEN 0 THEN ?2 ELSE started_ms END"
                  " WHERE seq = (SELECT seq FROM jobs WHERE state < 2"
                  "  AND CASE state WHEN 0 THEN not_before_ms ELSE lease_until_ms END <= ?2"
                  "  ORDER BY crashes, seq LIMIT 1)"
                  " RETURNING id, request, attempts, tries, crashes, created_ms",
                  "tiii", table->owner, at.now_ms, lease_ms, at.revision);
    enum sql_step step = sql_step(sql, update, err);
    if (step == SQL_FAILED)
        return CLAIM_FAILED;
    if (step == SQL_END) {
        next_time(sql, out_next_ms);
        return CLAIM_NONE;
    }
    AUTO(mem_free) char *id = sql_column_text(update, 0);
    *out = (struct lease){
        .request = sql_column_text(update, 1),
        .attempts = (int)sql_column(update, 2),
        .tries = (int)sql_column(update, 3),
        .crashes = (int)sql_column(update, 4),
        .created_ms = sql_column(update, 5),
    };
    snprintf(out->id, sizeof out->id, "%s", id ? id : "");
    if (!sql_change(sql, update, NULL, err)) {
        free(out->request);
        return CLAIM_FAILED;
    }
    return CLAIM_GOT;
}

bool table_renew(struct table *table, const char *id, int64_t lease_until_ms, bool *out_held,
                 bool *out_cancel, struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, false);
    struct sqlite3_stmt *update =
        sql_query(sql,
                  "UPDATE jobs SET lease_until_ms = ? WHERE id = ? AND owner = ? AND state = 1"
                  " RETURNING cancel",
                  "itt", lease_until_ms, id, table->owner);
    enum sql_step step = sql_step(sql, update, err);
    *out_held = step == SQL_ROW;
    *out_cancel = step == SQL_ROW && sql_column(update, 0) != 0;
    return step != SQL_FAILED && (step == SQL_END || sql_change(sql, update, NULL, err));
}

bool table_end(struct table *table, const char *id, const struct outcome *outcome, struct stamp at,
               struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, true);
    const struct error *error = outcome->error;
    int changes = 0;
    struct sqlite3_stmt *update =
        sql_query(sql,
                  "UPDATE jobs SET state = ?1, revision = ?2, result = ?3, completed_ms = ?4,"
                  " not_before_ms = ?5, tries = tries + ?6, owner = NULL, lease_until_ms = 0,"
                  " error_kind = ?7, error_code = ?8, error_field = ?9, error_text = ?10"
                  " WHERE id = ?11 AND owner = ?12 AND state = 1",
                  "iitiiiittttt", (int64_t)outcome->state, at.revision, outcome->result,
                  job_state_final(outcome->state) ? at.now_ms : INT64_C(0), outcome->not_before_ms,
                  (int64_t)outcome->counts, error ? (int64_t)error->kind : INT64_C(0),
                  error ? error->code : NULL, error ? error->field : NULL,
                  error ? error->text : NULL, id, table->owner);
    if (!sql_change(sql, update, &changes, err))
        return false;
    return changes == 1 || error_set(err, ERROR_CONFLICT, "the lease on job %s was lost", id);
}

static bool cancel_row(struct sql *sql, const char *id, struct stamp at, enum job_state *out_state,
                       struct error *err)
{
    struct sqlite3_stmt *ask = sql_query(sql, "SELECT state FROM jobs WHERE id = ?", "t", id);
    enum sql_step step = sql_step(sql, ask, err);
    if (step == SQL_FAILED)
        return false;
    if (step == SQL_END) {
        error_set(err, ERROR_NOT_FOUND, "there is no such job");
        return error_about(err, NULL, "job_unknown");
    }
    *out_state = (enum job_state)sql_column(ask, 0);
    sql_finish(ask);
    struct sqlite3_stmt *update =
        sql_query(sql,
                  "UPDATE jobs SET cancel = 1, revision = ?1,"
                  " completed_ms = CASE state WHEN 0 THEN ?2 ELSE completed_ms END,"
                  " state = CASE state WHEN 0 THEN 4 ELSE state END WHERE id = ?3 AND state < 2",
                  "iit", at.revision, at.now_ms, id);
    return sql_change(sql, update, NULL, err);
}

bool table_cancel(struct table *table, const char *id, struct stamp at, enum job_state *out_state,
                  struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, true);
    if (!sql_run(sql, "BEGIN IMMEDIATE", err))
        return false;
    if (!cancel_row(sql, id, at, out_state, err) || !sql_run(sql, "COMMIT", err))
        return rolled_back(sql);
    return true;
}

#define JOB_COLUMNS                                                                                \
    "id, state, revision, attempts, created_ms, started_ms, completed_ms, request, result,"        \
    " error_kind, error_code, error_field, error_text,"                                            \
    " CASE state WHEN 0 THEN (SELECT count(*) FROM jobs AS o WHERE o.state = 0"                    \
    "  AND (o.crashes, o.seq) <= (jobs.crashes, jobs.seq)) ELSE 0 END"

static struct job *job_from(struct sqlite3_stmt *row)
{
    struct job *job = xcalloc(1, sizeof *job);
    AUTO(mem_free) char *id = sql_column_text(row, 0);
    snprintf(job->id, sizeof job->id, "%s", id ? id : "");
    int64_t state = sql_column(row, 1);
    job->state = state >= 0 && state < JOB_STATES ? (enum job_state)state : JOB_ERROR;
    job->progress = job->state == JOB_DONE ? 100 : 0;
    job->eta_ms = job_state_final(job->state) ? 0 : -1;
    job->revision = sql_column(row, 2);
    job->attempts = (int)sql_column(row, 3);
    job->created_ms = sql_column(row, 4);
    job->started_ms = sql_column(row, 5);
    job->completed_ms = sql_column(row, 6);
    job->request = sql_column_text(row, 7);
    job->result = sql_column_text(row, 8);
    job->error.kind = (enum error_kind)sql_column(row, 9);
    job->error.code = sql_column_text(row, 10);
    job->error.field = sql_column_text(row, 11);
    job->error.text = sql_column_text(row, 12);
    job->position = (int)sql_column(row, 13);
    return job;
}

struct job *table_get(struct table *table, const char *id, struct error *err)
{
    LOCKED(sql, table->reader);
    struct sqlite3_stmt *ask =
        sql_query(sql, "SELECT " JOB_COLUMNS " FROM jobs WHERE id = ?", "t", id);
    enum sql_step step = sql_step(sql, ask, err);
    if (step == SQL_END) {
        error_set(err, ERROR_NOT_FOUND, "there is no such job");
        error_about(err, NULL, "job_unknown");
    }
    if (step != SQL_ROW)
        return NULL;
    struct job *job = job_from(ask);
    sql_finish(ask);
    return job;
}

bool table_list(struct table *table, enum job_state state, size_t limit, struct job ***out,
                size_t *out_count, struct error *err)
{
    LOCKED(sql, table->reader);
    struct sqlite3_stmt *ask = sql_query(sql,
                                         "SELECT " JOB_COLUMNS " FROM jobs"
                                         " WHERE ?1 = 5 OR state = ?1 ORDER BY seq DESC LIMIT ?2",
                                         "ii", (int64_t)state, (int64_t)limit);
    struct job **jobs = xcalloc(limit + 1, sizeof *jobs);
    size_t count = 0;
    enum sql_step step;
    while ((step = sql_step(sql, ask, err)) == SQL_ROW && count < limit)
        jobs[count++] = job_from(ask);
    sql_finish(ask);
    *out = jobs;
    *out_count = count;
    if (step != SQL_FAILED)
        return true;
    while (count > 0)
        job_free(jobs[--count]);
    free(jobs);
    return false;
}

void table_counts(struct table *table, struct jobs_counts *out)
{
    LOCKED(sql, table->reader);
    struct sqlite3_stmt *ask =
        sql_query(sql, "SELECT state, count(*), min(created_ms) FROM jobs GROUP BY state", "");
    while (sql_step(sql, ask, NULL) == SQL_ROW) {
        int64_t state = sql_column(ask, 0);
        if (state < 0 || state >= JOB_STATES)
            continue;
        out->states[state] = sql_column(ask, 1);
        if (state == JOB_QUEUED)
            out->oldest_queued_ms = sql_column(ask, 2);
    }
}

bool table_note(struct table *table, const char *id, const char *key, const char *value,
                struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, true);
    struct sqlite3_stmt *put = sql_query(
        sql, "INSERT OR REPLACE INTO notes(id, key, value) VALUES(?, ?, ?)", "ttt", id, key, value);
    return sql_change(sql, put, NULL, err);
}

char *table_noted(struct table *table, const char *id, const char *key)
{
    LOCKED(sql, table->reader);
    struct sqlite3_stmt *ask =
        sql_query(sql, "SELECT value FROM notes WHERE id = ? AND key = ?", "tt", id, key);
    char *value = NULL;
    if (sql_step(sql, ask, NULL) == SQL_ROW)
        value = sql_column_text(ask, 0);
    sql_finish(ask);
    return value;
}

bool table_sweep(struct table *table, int64_t before_ms, int64_t *out_removed, struct error *err)
{
    LOCKED(sql, table->writer);
    sql_durable(sql, false);
    int changes = 0;
    struct sqlite3_stmt *notes = sql_query(sql,
                                           "DELETE FROM notes WHERE id IN (SELECT id FROM jobs"
                                           " WHERE state >= 2 AND completed_ms < ?)",
                                           "i", before_ms);
    if (!sql_change(sql, notes, NULL, err))
        return false;
    struct sqlite3_stmt *jobs =
        sql_query(sql, "DELETE FROM jobs WHERE state >= 2 AND completed_ms < ?", "i", before_ms);
    if (!sql_change(sql, jobs, &changes, err))
        return false;
    *out_removed = changes;
    return true;
}
