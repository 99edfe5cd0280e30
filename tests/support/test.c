/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

void assert_error(const struct error *err, enum error_kind kind, const char *text)
{
    if (err->kind != kind || strcmp(err->text, text) != 0)
        fail_msg("expected %s \"%s\", got %s \"%s\"", error_kind_name(kind), text,
                 error_kind_name(err->kind), err->text);
}

void assert_bytes_equal(struct bytes actual, struct bytes expected)
{
    assert_int_equal(actual.size, expected.size);
    if (actual.size)
        assert_memory_equal(actual.data, expected.data, actual.size);
}

char *test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/vma-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path))
        fail_msg("cannot make %s", path);
    return path;
}

void test_dir_free(char *path)
{
    struct error err;
    if (path && !tree_remove(path, &err))
        print_error("%s\n", err.text);
    free(path);
}
