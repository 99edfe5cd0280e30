/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "cli/sshconfig.h"

static void merging_twice_changes_nothing(void **state)
{
    (void)state;
    struct error err;
    struct bytes file = bytes_of("# mine\nHost other\n    User me\n");
    struct sshconfig config = {.host = "gpu", .port = 22};
    AUTO(buf_dispose) struct buf block = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf once = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf twice = BUF(64 * 1024);
    assert_ok(sshconfig_block(&config, &block, &err), &err);
    assert_ok(sshconfig_merge(file, "gpu", buf_bytes(&block), &once, &err), &err);
    assert_ok(sshconfig_merge(buf_bytes(&once), "gpu", buf_bytes(&block), &twice, &err), &err);
    assert_bytes_equal(buf_bytes(&once), buf_bytes(&twice));
    assert_non_null(strstr(buf_string(&once), "# mine\nHost other\n    User me\n"));
    assert_ptr_equal(strstr(buf_string(&once), "# >>> vma: gpu"), buf_string(&once));
}

static void only_its_own_block_is_replaced(void **state)
{
    (void)state;
    struct error err;
    struct bytes file = bytes_of("a\n# >>> vma: gpu (x) >>>\nold\n# <<< vma: gpu <<<\n"
                                 "# >>> vma: gpu2 (x) >>>\nkept\n# <<< vma: gpu2 <<<\nz");
    AUTO(buf_dispose) struct buf out = BUF(64 * 1024);
    assert_ok(sshconfig_merge(file, "gpu", bytes_of("NEW\n"), &out, &err), &err);
    assert_string_equal(buf_string(&out), "a\nNEW\n# >>> vma: gpu2 (x) >>>\nkept\n"
                                          "# <<< vma: gpu2 <<<\nz");
    AUTO(buf_dispose) struct buf none = BUF(64 * 1024);
    assert_false(sshconfig_merge(bytes_of("# >>> vma: gpu (x) >>>\nold\n"), "gpu",
                                 bytes_of("NEW\n"), &none, &err));
    assert_int_equal(err.kind, ERROR_CONFLICT);
}

static void names_that_would_be_read_otherwise_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "-oProxyCommand=x", "a b", "a\nHost *", "*", "a%h"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct error err;
        struct sshconfig config = {.host = names[i]};
        AUTO(buf_dispose) struct buf block = BUF(64 * 1024);
        assert_false(sshconfig_block(&config, &block, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_twice_changes_nothing),
        cmocka_unit_test(only_its_own_block_is_replaced),
        cmocka_unit_test(names_that_would_be_read_otherwise_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
