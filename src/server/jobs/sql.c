/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/sql_internal.h"

#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include <sqlite3.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"

enum { MAX_STATEMENTS = 32 };

struct sql {
    sqlite3 *handle;
    pthread_mutex_t lock;
    bool durable;
    struct {
        const char *text; /* by address: they are literals */
        sqlite3_stmt *statement;
    } kept[MAX_STATEMENTS];
    size_t kept_count;
};

static bool failed(struct sql *sql, struct error *err)
{
    int code = sqlite3_errcode(sql->handle);
    const char *text = sqlite3_errmsg(sql->handle);
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return error_set(err, ERROR_INVALID, "the database is damaged: %s", text);
    case SQLITE_FULL:
        error_set(err, ERROR_LIMIT, "the disk is full");
        return error_about(err, NULL, "disk_full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, ERROR_UNAVAILABLE, "the database is locked: %s", text);
    default:
        return error_set(err, ERROR_INTERNAL, "database: %s", text);
    }
}

struct sql *sql_open(const char *path, enum sql_mode mode, struct error *err)
{
    struct sql *self = xcalloc(1, sizeof *self);
    AUTO(sql_close) struct sql *sql = self;
    pthread_mutex_init(&sql->lock, NULL);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
    if (mode == SQL_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &sql->handle, flags, NULL) != SQLITE_OK) {
        failed(sql, err);
        return NULL;
    }
    sqlite3_extended_result_codes(sql->handle, 1);
    sqlite3_busy_timeout(sql->handle, 5000);
    sqlite3_db_config(sql->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* A file that somebody else made must not run code of its own. */
    if (!sql_run(sql, "PRAGMA trusted_schema=OFF", err) ||
        !sql_run(sql, "PRAGMA cache_size=-1000", err))
        return NULL;
    if (mode == SQL_READER)
        return sql_run(sql, "PRAGMA query_only=ON", err) ? TAKE(sql) : NULL;
    if (!sql_run(sql, "PRAGMA journal_mode=WAL", err))
        return NULL;
    sql->durable = true;
    return sql_run(sql, "PRAGMA synchronous=FULL", err) ? TAKE(sql) : NULL;
}

void sql_close(struct sql *sql)
{
    if (!sql)
        return;
    for (size_t i = 0; i < sql->kept_count; i++)
        sqlite3_finalize(sql->kept[i].statement);
    sqlite3_close(sql->handle);
    pthread_mutex_destroy(&sql->lock);
    free(sql);
}

void sql_lock(struct sql *sql)
{
    pthread_mutex_lock(&sql->lock);
}

void sql_unlock(struct sql *sql)
{
    pthread_mutex_unlock(&sql->lock);
}

bool sql_run(struct sql *sql, const char *text, struct error *err)
{
    return sqlite3_exec(sql->handle, text, NULL, NULL, NULL) == SQLITE_OK || failed(sql, err);
}

int64_t sql_int(struct sql *sql, const char *text, int64_t fallback)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = fallback;
    if (sqlite3_prepare_v2(sql->handle, text, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

void sql_durable(struct sql *sql, bool durable)
{
    if (sql->durable == durable)
        return;
    if (sql_run(sql, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", NULL))
        sql->durable = durable;
}

static sqlite3_stmt *prepared(struct sql *sql, const char *text)
{
    for (size_t i = 0; i < sql->kept_count; i++)
        if (sql->kept[i].text == text)
            return sql->kept[i].statement;
    sqlite3_stmt *statement = NULL;
    if (sql->kept_count == MAX_STATEMENTS ||
        sqlite3_prepare_v3(sql->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
            SQLITE_OK)
        return NULL;
    sql->kept[sql->kept_count].text = text;
    sql->kept[sql->kept_count++].statement = statement;
    return statement;
}

sqlite3_stmt *sql_query(struct sql *sql, const char *text, const char *types, ...)
{
    sqlite3_stmt *statement = prepared(sql, text);
    if (!statement)
        return NULL;
    sqlite3_reset(statement);
    va_list values;
    va_start(values, types);
    for (int i = 0; types[i]; i++) {
        if (types[i] == 'i')
            sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
        else
            sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
    }
    va_end(values);
    return statement;
}

enum sql_step sql_step(struct sql *sql, sqlite3_stmt *statement, struct error *err)
{
    int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;
    if (code == SQLITE_ROW)
        return SQL_ROW;
    bool fine = code == SQLITE_DONE || failed(sql, err);
    if (statement)
        sqlite3_reset(statement);
    return fine ? SQL_END : SQL_FAILED;
}

void sql_finish(sqlite3_stmt *statement)
{
    if (statement)
        sqlite3_reset(statement);
}

bool sql_change(struct sql *sql, sqlite3_stmt *statement, int *out_changes, struct error *err)
{
    enum sql_step step;
    while ((step = sql_step(sql, statement, err)) == SQL_ROW)
        ;
    if (out_changes)
        *out_changes = sqlite3_changes(sql->handle);
    return step == SQL_END;
}

int64_t sql_column(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_int64(statement, column);
}

char *sql_column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? xstrdup(text) : NULL;
}
