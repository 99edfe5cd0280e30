/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the database, and statements on it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct sqlite3;
struct sqlite3_stmt;

enum sql_mode { SQL_WRITER, SQL_READER };

struct sql;
/* ERROR_INVALID when the file is no database or a damaged one. */
MUST_USE struct sql *sql_open(const char *path, enum sql_mode mode, struct error *err);
void sql_close(struct sql *sql);
static inline void sql_close_auto(struct sql **sql)
{
    sql_close(*sql);
}

/* One thread at a time, from here to sql_unlock. */
void sql_lock(struct sql *sql);
void sql_unlock(struct sql *sql);

/* Runs statements that need no values. */
MUST_USE bool sql_run(struct sql *sql, const char *text, struct error *err);
/* The first column of the first row; `fallback` when there is none. */
int64_t sql_int(struct sql *sql, const char *text, int64_t fallback);

/* Whether a commit waits for the disk. */
void sql_durable(struct sql *sql, bool durable);

/* A prepared statement with its values: types names each of the values that follow, "t" text
 * (const char *, may be NULL) and "i" int64_t. Kept and used again. */
struct sqlite3_stmt *sql_query(struct sql *sql, const char *text, const char *types, ...);

enum sql_step { SQL_FAILED, SQL_ROW, SQL_END };
enum sql_step sql_step(struct sql *sql, struct sqlite3_stmt *statement, struct error *err);
/* Steps to the end, which releases the locks that the statement holds. */
void sql_finish(struct sqlite3_stmt *statement);
/* Runs to the end; *out_changes (or NULL) is how many rows changed. */
MUST_USE bool sql_change(struct sql *sql, struct sqlite3_stmt *statement, int *out_changes,
                         struct error *err);

/* Columns of the current row. Text is a copy, NULL when NULL. */
int64_t sql_column(struct sqlite3_stmt *statement, int column);
MUST_USE char *sql_column_text(struct sqlite3_stmt *statement, int column);
