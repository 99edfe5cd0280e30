/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sync/path.h"

static void good_paths_pass_and_bad_ones_are_named(void **state)
{
    struct error err;
    assert_true(path_check(bytes_of("a/b c/\xff\n.d"), &err));
    assert_true(path_check(bytes_of("..."), &err));
    assert_true(path_check(bytes_of("a/.vma-stage"), &err));
    assert_false(path_check(bytes_of("a/../b"), &err));
    assert_error(&err, ERROR_INVALID, "path a/../b leads astray");
    assert_false(path_check((struct bytes){(const uint8_t *)"a\0b", 3}, &err));
    assert_false(path_check(bytes_of(".vma-stage/x"), &err));
}

static void odd_names_are_shown_so_that_nothing_is_hidden(void **state)
{
    char text[PATH_TEXT_SIZE];
    assert_string_equal(path_text("日本語/a b", text), "日本語/a b");
    assert_string_equal(path_text("a\nb\x1b[31m\xff", text), "a\\x0ab\\x1b[31m\\xff");
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(strlen(path_text(longer, text)) < PATH_TEXT_SIZE);
}

static void names_that_other_systems_merge_have_one_hash(void **state)
{
    static const char *const same[][2] = {
        {"README", "readme"},
        {"caf\xc3\xa9", "cafe\xcc\x81"},              /* é composed, and e with an accent */
        {"\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"}, /* が and か with its mark */
        {"\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"}, /* 한 and its letters */
        {"\xc3\x89", "e\xcc\x81"},
        {"\xe2\x84\xaa-1", "k-1"}, /* the sign for Kelvin */
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_true(path_fold_hash(bytes_of(same[i][0])) == path_fold_hash(bytes_of(same[i][1])));
        assert_true(path_may_clash(bytes_of(same[i][0]), bytes_of(same[i][1])));
    }
    assert_true(path_fold_hash(bytes_of("a")) != path_fold_hash(bytes_of("b")));
    assert_true(path_fold_hash(bytes_of("123")) == 0);
    assert_false(path_may_clash(bytes_of("a1"), bytes_of("A2")));
    assert_false(path_may_clash(bytes_of("a"), bytes_of("aa")));
    assert_false(path_may_clash(bytes_of("a\xcc\x81"), bytes_of("a")));
    assert_false(path_may_clash(bytes_of("@"), bytes_of("`")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_paths_pass_and_bad_ones_are_named),
        cmocka_unit_test(odd_names_are_shown_so_that_nothing_is_hidden),
        cmocka_unit_test(names_that_other_systems_merge_have_one_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
