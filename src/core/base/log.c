/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

enum { MAX_LINE = 16 * 1024 };

static struct {
    pthread_mutex_t lock; /* one line at a time */
    enum log_level level;
    enum log_format format;
    int fd;
} sink = {PTHREAD_MUTEX_INITIALIZER, LOG_INFO, LOG_JSON, STDERR_FILENO};

static _Thread_local char current_id[64];

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

void log_set(enum log_level level, enum log_format format, int fd)
{
    sink.level = level;
    sink.format = format;
    sink.fd = fd;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_id(const char *id)
{
    snprintf(current_id, sizeof current_id, "%s", id ? id : "");
}

const char *log_id(void)
{
    return current_id;
}

/* A line that does not fit is cut: the writers' results are dropped on purpose. */
#define DROP(call)                                                                                 \
    do {                                                                                           \
        if (!(call))                                                                               \
            return;                                                                                \
    } while (0)

static void quote(struct buf *line, const char *text)
{
    struct bytes rest = bytes_of(text);
    DROP(buf_text(line, "\"", NULL));
    while (rest.size) {
        uint32_t code_point = 0;
        size_t used = utf8_decode(rest, &code_point);
        if (used == 0) {
            DROP(buf_text(line, "\\ufffd", NULL));
            used = 1;
        } else if (code_point == '"' || code_point == '\\') {
            DROP(buf_printf(line, NULL, "\\%c", (char)code_point));
        } else if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||
                   code_point == 0x2028 || code_point == 0x2029) {
            DROP(buf_printf(line, NULL, "\\u%04x", code_point));
        } else {
            DROP(buf_append(line, (struct bytes){rest.data, used}, NULL));
        }
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
    DROP(buf_text(line, "\"", NULL));
}

static void add_key(struct buf *line, const char *key, const char *suffix)
{
    if (sink.format == LOG_JSON)
        DROP(buf_printf(line, NULL, ",\"%s%s\":", key, suffix));
    else
        DROP(buf_printf(line, NULL, " %s%s=", key, suffix));
}

static void add_field(struct buf *line, const struct log_field *field)
{
    add_key(line, field->key, "");
    switch (field->kind) {
    case LOG_FIELD_TEXT:
        if (field->as.text)
            quote(line, field->as.text);
        else
            DROP(buf_text(line, "null", NULL));
        break;
    case LOG_FIELD_INT:
        DROP(buf_printf(line, NULL, "%lld", (long long)field->as.integer));
        break;
    case LOG_FIELD_REAL:
        if (isfinite(field->as.real))
            DROP(buf_printf(line, NULL, "%.6g", field->as.real));
        else
            DROP(buf_text(line, "null", NULL));
        break;
    case LOG_FIELD_BOOL:
        DROP(buf_text(line, field->as.boolean ? "true" : "false", NULL));
        break;
    case LOG_FIELD_ERROR:
        quote(line, field->as.error->text);
        add_key(line, field->key, "_kind");
        quote(line, error_kind_name(field->as.error->kind));
        break;
    }
}

static void begin(struct buf *line, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_SIZE];
    clock_text(wall_ms(), now);
    if (sink.format == LOG_JSON)
        DROP(buf_printf(line, NULL, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", now,
                        level_names[level], event));
    else
        DROP(buf_printf(line, NULL, "%.8s %-5s %s", now + 11, level_names[level], event));
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level < sink.level)
        return;
    AUTO(buf_dispose) struct buf line = BUF(MAX_LINE);
    begin(&line, level, event);
    if (current_id[0])
        add_field(&line, &LOG_TEXT("id", current_id));
    for (; fields->kind; fields++) {
        size_t whole = line.size;
        add_field(&line, fields);
        if (line.size + 256 > MAX_LINE) { /* too long a value: drop the field, keep the line */
            line.size = whole;
            break;
        }
    }
    if (!buf_text(&line, sink.format == LOG_JSON ? "}\n" : "\n", NULL))
        return;
    pthread_mutex_lock(&sink.lock);
    bool ignored = write(sink.fd, line.data, line.size) < 0; /* nowhere to report it */
    (void)ignored;
    pthread_mutex_unlock(&sink.lock);
}
