/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/schema_internal.h"

#include <stdio.h>

#include "base/error.h"
#include "jobs/sql_internal.h"

/* "vmaj": marks the file as ours. */
enum { APPLICATION = 0x766d616a };

/* Entry n takes version n to n + 1. Never changed once released; only added to. */
static const char *const migrations[] = {
    "CREATE TABLE jobs ("
    " seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE,"
    " state INTEGER NOT NULL," /* enum job_state */
    " revision INTEGER NOT NULL,"
    " request TEXT NOT NULL,"
    " result TEXT,"
    " created_ms INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL DEFAULT 0,"
    " completed_ms INTEGER NOT NULL DEFAULT 0,"
    " not_before_ms INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0," /* times that it was started       */
    " tries INTEGER NOT NULL DEFAULT 0,"    /* of them, those that may be retried */
    " crashes INTEGER NOT NULL DEFAULT 0,"  /* of them, those that nobody ended */
    " owner TEXT,"
    " lease_until_ms INTEGER NOT NULL DEFAULT 0,"
    " cancel INTEGER NOT NULL DEFAULT 0,"
    " error_kind INTEGER, error_code TEXT, error_field TEXT, error_text TEXT);"
    "CREATE INDEX jobs_open ON jobs(crashes, seq) WHERE state < 2;"
    "CREATE INDEX jobs_ended ON jobs(completed_ms) WHERE state >= 2;"
    "CREATE TABLE notes ("
    " id TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,"
    " key TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " PRIMARY KEY (id, key)) WITHOUT ROWID;",
};

enum { NEWEST = sizeof migrations / sizeof *migrations };

static bool migrate(struct sql *sql, int64_t version, struct error *err)
{
    char mark[96];
    snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION,
             (int)version + 1);
    return sql_run(sql, "BEGIN IMMEDIATE", err) && sql_run(sql, migrations[version], err) &&
           sql_run(sql, mark, err) && sql_run(sql, "COMMIT", err);
}

bool schema_prepare(struct sql *sql, struct error *err)
{
    int64_t application = sql_int(sql, "PRAGMA application_id", -1);
    int64_t version = sql_int(sql, "PRAGMA user_version", -1);
    int64_t tables = sql_int(sql, "SELECT count(*) FROM sqlite_schema", -1);
    if (application < 0 || version < 0 || tables < 0)
        return error_set(err, ERROR_INVALID, "the file is not a database");
    if (tables > 0 && application != APPLICATION)
        return error_set(err, ERROR_INVALID, "the database belongs to another program");
    if (version > NEWEST)
        return error_set(err, ERROR_CONFLICT,
                         "the database is of version %d, this program knows up to %d", (int)version,
                         NEWEST);
    if (sql_int(sql, "SELECT quick_check = 'ok' FROM pragma_quick_check(1)", 0) != 1)
        return error_set(err, ERROR_INVALID, "the database is damaged");
    for (; version < NEWEST; version++)
        if (!migrate(sql, version, err))
            return error_wrap(err, "bring the database to version %d", (int)version + 1);
    return true;
}
