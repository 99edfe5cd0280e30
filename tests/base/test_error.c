/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <errno.h>

static void an_os_error_keeps_its_cause_and_picks_a_kind(void **state)
{
    struct error err;
    assert_false(error_os(&err, ENOSPC, "write %d bytes", 512));
    assert_error(&err, ERROR_LIMIT, "write 512 bytes: No space left on device");
    assert_int_equal(err.os, ENOSPC);
    assert_false(error_wrap(&err, "save %s", "a.json"));
    assert_error(&err, ERROR_LIMIT, "save a.json: write 512 bytes: No space left on device");
}

static void the_cause_survives_when_the_context_is_too_long(void **state)
{
    char longer[400];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct error err;

    error_os(&err, ENOENT, "open %s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_non_null(strstr(err.text, ": No such file or directory"));

    error_set(&err, ERROR_INVALID, "short cause");
    error_wrap(&err, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_non_null(strstr(err.text, "x: short cause"));

    error_set(&err, ERROR_INVALID, "%s", longer);
    char before[sizeof err.text];
    memcpy(before, err.text, sizeof before);
    error_wrap(&err, "more");
    assert_string_equal(err.text, before);
}

static void the_field_and_code_travel_with_the_error(void **state)
{
    struct error err;
    error_set(&err, ERROR_INVALID, "no face");
    assert_false(error_about(&err, "image", "image_no_face"));
    error_wrap(&err, "job 1");
    assert_string_equal(err.field, "image");
    assert_string_equal(err.code, "image_no_face");
    error_set(&err, ERROR_INVALID, "another");
    assert_null(err.field);
}

static void nobody_has_to_listen(void **state)
{
    assert_false(error_set(NULL, ERROR_INVALID, "x"));
    assert_false(error_os(NULL, EIO, "x"));
    assert_false(error_wrap(NULL, "x"));
    assert_false(error_about(NULL, "a", "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_os_error_keeps_its_cause_and_picks_a_kind),
        cmocka_unit_test(the_cause_survives_when_the_context_is_too_long),
        cmocka_unit_test(the_field_and_code_travel_with_the_error),
        cmocka_unit_test(nobody_has_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
