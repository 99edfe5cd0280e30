/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/jv.h"
#include "base/log.h"

/* Logs through `write_log` into a pipe and parses what came out. */
static struct jv *logged(void (*write_log)(void), char *line, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_set(LOG_INFO, LOG_JSON, ends[1]);
    write_log();
    log_set(LOG_INFO, LOG_JSON, STDERR_FILENO);
    close(ends[1]);
    ssize_t got = read(ends[0], line, size - 1);
    close(ends[0]);
    line[got > 0 ? got : 0] = '\0';
    struct error err = {.text = ""};
    return got > 0 ? jv_parse(bytes_of(line), &err) : NULL;
}

static void log_hostile(void)
{
    struct error err;
    error_set(&err, ERROR_TIMEOUT, "no answer");
    log_set_id("job-1");
    log_warn("upload.failed", LOG_TEXT("name", "a\"\n{\"level\":\"x\"}\x1b[2J\xff\xe2\x80\xa8"),
             LOG_INT("size", -1), LOG_BOOL("again", true), LOG_TEXT("none", NULL), LOG_ERROR(&err));
    log_set_id(NULL);
}

static void a_line_is_one_json_object_whatever_is_in_it(void **state)
{
    char line[8192];
    AUTO(jv_free) struct jv *entry = logged(log_hostile, line, sizeof line);
    assert_non_null(entry);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_null(strchr(line, '\x1b'));
    assert_string_equal(jv_get_text(entry, "level", ""), "warn");
    assert_string_equal(jv_get_text(entry, "id", ""), "job-1");
    assert_int_equal(jv_get_int(entry, "size", 0), -1);
    assert_string_equal(jv_get_text(entry, "error_kind", ""), "timeout");
    assert_int_equal(jv_kind(jv_get(entry, "none")), JV_NULL);
}

static void log_huge(void)
{
    static char huge[100000];
    memset(huge, 'x', sizeof huge - 1);
    log_info("big", LOG_INT("first", 1), LOG_TEXT("huge", huge));
}

static void a_field_that_is_too_long_is_dropped_not_the_line(void **state)
{
    char line[32768];
    AUTO(jv_free) struct jv *entry = logged(log_huge, line, sizeof line);
    assert_non_null(entry);
    assert_int_equal(jv_get_int(entry, "first", 0), 1);
}

static void log_quiet(void)
{
    log_debug("not.shown");
}

static void lower_levels_are_silent(void **state)
{
    char line[1024];
    assert_null(logged(log_quiet, line, sizeof line));
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_json_object_whatever_is_in_it),
        cmocka_unit_test(a_field_that_is_too_long_is_dropped_not_the_line),
        cmocka_unit_test(lower_levels_are_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
