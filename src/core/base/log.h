/* SPDX-License-Identifier: Apache-2.0 */
/* The log: events with typed fields, one JSON object a line (or, on a terminal, a line to read)
 * on stderr. Threads may log at once. A field's text is written as JSON, so nothing that comes
 * from outside can forge a line; secrets are never passed in.
 *
 *     log_info("job.done", LOG_TEXT("job", id), LOG_INT("took_ms", took_ms));
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct error;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR_LEVEL, LOG_OFF };
enum log_format { LOG_JSON, LOG_TERMINAL };

struct log_field {
    enum {
        LOG_FIELD_TEXT = 1,
        LOG_FIELD_INT,
        LOG_FIELD_REAL,
        LOG_FIELD_BOOL,
        LOG_FIELD_ERROR
    } kind;
    const char *key;
    union {
        const char *text;
        int64_t integer;
        double real;
        bool boolean;
        const struct error *error;
    } as;
};

#define LOG_TEXT(k, v) ((struct log_field){.kind = LOG_FIELD_TEXT, .key = (k), .as.text = (v)})
#define LOG_INT(k, v)  ((struct log_field){.kind = LOG_FIELD_INT, .key = (k), .as.integer = (v)})
#define LOG_REAL(k, v) ((struct log_field){.kind = LOG_FIELD_REAL, .key = (k), .as.real = (v)})
#define LOG_BOOL(k, v) ((struct log_field){.kind = LOG_FIELD_BOOL, .key = (k), .as.boolean = (v)})
#define LOG_ERROR(e)   ((struct log_field){.kind = LOG_FIELD_ERROR, .key = "error", .as.error = (e)})

/* The fields are an array ended by one without a kind; the macros below write it. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define LOG_AT_(level, event, ...)                                                                 \
    log_event(level, event, (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = 0}})
#define log_debug(event, ...) LOG_AT_(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  LOG_AT_(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  LOG_AT_(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT_(LOG_ERROR_LEVEL, event, __VA_ARGS__)

/* For main.c, before threads start. */
void log_set(enum log_level level, enum log_format format, int fd);
/* "debug", "info", "warn", "error", "off"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *out);

/* Adds "id" to everything this thread logs until it is set again; NULL ends it. Copied; at most
 * 63 bytes are kept. */
void log_set_id(const char *id);
const char *log_id(void);
