/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

static void a_file_is_replaced_whole_and_leaves_nothing_beside_it(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a", dir);
    struct error err;
    assert_ok(file_write(path, bytes_of("one"), &err), &err);
    assert_ok(file_write(path, bytes_of("two"), &err), &err);
    AUTO(buf_dispose) struct buf text = BUF(3);
    assert_ok(file_read(path, &text, &err), &err);
    assert_string_equal(buf_string(&text), "two");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* fails when anything else is left */
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void a_file_larger_than_the_limit_is_refused(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/a", dir);
    struct error err;
    assert_ok(file_write(path, bytes_of("1234"), &err), &err);
    AUTO(buf_dispose) struct buf text = BUF(3);
    assert_false(file_read(path, &text, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

static void an_error_names_the_path_and_the_cause(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/none/a", dir);
    struct error err;
    assert_false(file_write(path, bytes_of("x"), &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none/a"));
}

static void removing_a_tree_does_not_follow_links(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *deep = xasprintf("%s/tree/b/c", dir);
    AUTO(mem_free) char *tree = xasprintf("%s/tree", dir);
    AUTO(mem_free) char *link = xasprintf("%s/tree/b/link", dir);
    AUTO(mem_free) char *kept = xasprintf("%s/kept", dir);
    AUTO(mem_free) char *inside = xasprintf("%s/kept/file", dir);
    struct error err;
    assert_ok(dir_make(deep, &err) && dir_make(kept, &err), &err);
    assert_ok(file_write(inside, bytes_of("x"), &err), &err);
    assert_int_equal(symlink(kept, link), 0);

    assert_ok(tree_remove(tree, &err), &err);
    assert_int_equal(access(tree, F_OK), -1);
    assert_int_equal(access(inside, F_OK), 0);
    assert_ok(tree_remove(tree, &err), &err); /* not there is fine */
}

static void assert_leads(const char *dir, const char *path, const char *expected)
{
    AUTO(mem_free) char *full = xasprintf("%s%s", dir, path);
    AUTO(mem_free) char *real = realpath(dir, NULL);
    AUTO(mem_free) char *wanted = xasprintf("%s%s", real, expected);
    AUTO(mem_free) char *got = path_resolve(full);
    assert_string_equal(got, wanted);
}

static void a_path_is_told_by_where_it_leads(void **state)
{
    AUTO(test_dir_free) char *dir = test_dir_new();
    AUTO(mem_free) char *folder = xasprintf("%s/a", dir);
    AUTO(mem_free) char *link = xasprintf("%s/link", dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(symlink("a", link), 0);
    assert_leads(dir, "/a", "/a");
    assert_leads(dir, "//a/./", "/a");
    assert_leads(dir, "/link/new/../other//x/", "/a/other/x");
    assert_leads(dir, "/new/../a/b", "/a/b");
    assert_leads(dir, "/link/..", "");
    AUTO(mem_free) char *top = path_resolve("/no-such-folder/../..");
    assert_string_equal(top, "/");
}

static void a_path_lies_in_a_folder_by_whole_names(void **state)
{
    (void)state;
    assert_true(path_is_within("/a/b", "/a") && path_is_within("/a/b/c", "/a/"));
    assert_true(path_is_within("/a", "/") && path_is_within("a/b", "a"));
    assert_false(path_is_within("abc", "a") || path_is_within("/ab", "/a"));
    assert_false(path_is_within("/a", "/a") || path_is_within("/a/", "/a"));
    assert_false(path_is_within("/", "/") || path_is_within("/a", "/a/b"));
    assert_false(path_is_within("/a", ""));
}

static void durations_and_sizes_read_as_people_write_them(void **state)
{
    int64_t value;
    struct error err;
    assert_ok(duration_parse("1h30m", &value, &err), &err);
    assert_int_equal(value, 5400000);
    assert_ok(duration_parse("2d12h", &value, &err), &err);
    assert_int_equal(value, INT64_C(60) * 3600 * 1000);
    assert_ok(duration_parse("1m250ms", &value, &err), &err);
    assert_int_equal(value, 60250);
    assert_false(duration_parse("", &value, &err));
    assert_false(duration_parse("5", &value, &err));
    assert_false(duration_parse("1m1h", &value, &err));
    assert_false(duration_parse("99999999999999999999h", &value, &err));
    assert_ok(size_parse("10MB", &value, &err), &err);
    assert_int_equal(value, 10000000);
    assert_ok(size_parse("512KiB", &value, &err), &err);
    assert_int_equal(value, 524288);
    assert_false(size_parse("10", &value, &err));
    assert_false(size_parse("9999999GB", &value, &err));
}

static void the_hash_is_the_published_one(void **state)
{
    char text[HASH128_TEXT_SIZE];
    hash128_text(hash128_of(bytes_of("")), text);
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f"); /* xxhsum -H2 of nothing */
    AUTO(hasher_free) struct hasher *hasher = hasher_new();
    hasher_add(hasher, bytes_of("ab"));
    hasher_add(hasher, bytes_of("c"));
    assert_true(hash128_equal(hasher_end(hasher), hash128_of(bytes_of("abc"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_whole_and_leaves_nothing_beside_it),
        cmocka_unit_test(a_file_larger_than_the_limit_is_refused),
        cmocka_unit_test(an_error_names_the_path_and_the_cause),
        cmocka_unit_test(removing_a_tree_does_not_follow_links),
        cmocka_unit_test(a_path_is_told_by_where_it_leads),
        cmocka_unit_test(a_path_lies_in_a_folder_by_whole_names),
        cmocka_unit_test(durations_and_sizes_read_as_people_write_them),
        cmocka_unit_test(the_hash_is_the_published_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
