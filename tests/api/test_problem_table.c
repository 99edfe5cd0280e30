/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <ftw.h>
#include <stdio.h>

#include "api/problem_table.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

static void every_problem_is_explained_in_both_languages(void **state)
{
    for (size_t i = 0; i < problem_count(); i++) {
        const struct problem_row *row = problem_at(i);
        assert_in_range(row->status, 400, 599);
        for (int language = 0; language < LANGUAGES; language++) {
            assert_true(row->title[language] && row->title[language][0]);
            assert_true(row->detail[language] && row->detail[language][0]);
            assert_true(utf8_valid(bytes_of(row->detail[language])));
        }
        /* A forgotten translation would be the same text, or ASCII. */
        assert_string_not_equal(row->detail[LANGUAGE_JA], row->detail[LANGUAGE_EN]);
        assert_true(utf8_count(bytes_of(row->detail[LANGUAGE_JA])) <
                    strlen(row->detail[LANGUAGE_JA]));
        assert_int_equal(utf8_count(bytes_of(row->detail[LANGUAGE_EN])),
                         strlen(row->detail[LANGUAGE_EN]));
        assert_ptr_equal(problem_find(row->code), row); /* no code twice */
    }
}

static int missing;

/* Every string that is the last argument of error_about( in this source. */
static void check_source(const char *path, const char *text)
{
    for (const char *at = text; (at = strstr(at, "error_about("));) {
        at += strlen("error_about(");
        const char *end = strstr(at, ");");
        if (!end)
            return;
        for (const char *quote = memchr(at, '"', (size_t)(end - at)); quote && quote < end;) {
            char code[64] = "";
            size_t size = strcspn(quote + 1, "\"");
            snprintf(code, sizeof code, "%.*s", (int)size, quote + 1);
            const char *after = quote + size + 2;
            bool is_field = *after == ',';
            if (!is_field && !problem_find(code)) {
                print_error("%s uses the code \"%s\", which has no row\n", path, code);
                missing++;
            }
            quote = after < end ? memchr(after, '"', (size_t)(end - after)) : NULL;
        }
    }
}

static int visit(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    if (kind != FTW_F || !text_ends(path, ".c"))
        return 0;
    AUTO(buf_dispose) struct buf text = BUF(1 << 20);
    if (file_read(path, &text, NULL))
        check_source(path, buf_string(&text));
    return 0;
}

static void every_code_in_the_sources_has_a_row(void **state)
{
    assert_int_equal(nftw(SOURCE_DIR "/src/server", visit, 16, FTW_PHYS), 0);
    assert_int_equal(missing, 0);
}

static void errors_without_a_code_are_explained_by_their_kind(void **state)
{
    struct error err = {.kind = ERROR_INTERNAL};
    error_set(&err, ERROR_NOT_FOUND, "gone");
    assert_int_equal(problem_of(&err)->status, 404);
    error_set(&err, ERROR_TIMEOUT, "late");
    assert_int_equal(problem_of(&err)->status, 504);
    error_set(&err, ERROR_INTERNAL, "oops");
    assert_int_equal(problem_of(&err)->status, 500);
    error_about(&err, NULL, "a_code_of_tomorrow");
    assert_int_equal(problem_of(&err)->status, 500);
    error_set(&err, ERROR_NOT_FOUND, "no voice");
    error_about(&err, "voice_profile", "voice_unknown");
    assert_int_equal(problem_of(&err)->status, 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_is_explained_in_both_languages),
        cmocka_unit_test(every_code_in_the_sources_has_a_row),
        cmocka_unit_test(errors_without_a_code_are_explained_by_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
