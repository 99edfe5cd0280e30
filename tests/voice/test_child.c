/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "voice/child.h"

static bool run(const char *const *argv, const char *input, int extra_fd, int timeout_ms,
                struct buf *out, struct error *err)
{
    struct child_job job = {
        .argv = argv, .input = bytes_of(input), .extra_fd = extra_fd, .timeout_ms = timeout_ms};
    return child_run(&job, out, err);
}

static void input_goes_in_and_output_comes_out(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(4096);
    struct error err = {0};
    const char *const argv[] = {"tr", "a-z", "A-Z", NULL};
    assert_ok(run(argv, "hello; $(rm) `x`", -1, 5000, &out, &err), &err);
    assert_string_equal(buf_string(&out), "HELLO; $(RM) `X`");
}

static void the_extra_file_is_descriptor_three(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(4096);
    struct error err = {0};
    AUTO(fd_close) int fd = memfd_create("extra", MFD_CLOEXEC);
    assert_int_equal(write(fd, "voice", 5), 5);
    const char *const argv[] = {"cat", "/proc/self/fd/3", NULL};
    assert_ok(run(argv, "", fd, 5000, &out, &err), &err);
    assert_string_equal(buf_string(&out), "voice");
}

static void nothing_else_of_ours_is_open_in_it(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(4096);
    struct error err = {0};
    AUTO(fd_close) int leak = dup2(0, 77); /* without close-on-exec */
    assert_int_equal(leak, 77);
    const char *const argv[] = {"ls", "/proc/self/fd", NULL};
    assert_ok(run(argv, "", -1, 5000, &out, &err), &err);
    assert_null(strstr(buf_string(&out), "77"));
}

static void a_child_that_hangs_is_stopped(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(4096);
    struct error err = {0};
    const char *const argv[] = {"sleep", "60", NULL};
    int64_t start_ms = mono_ms();
    assert_false(run(argv, "", -1, 100, &out, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    assert_true(mono_ms() - start_ms < 20000);
}

static void a_child_that_floods_is_stopped(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(64 * 1024);
    struct error err = {0};
    const char *const argv[] = {"yes", NULL};
    assert_false(run(argv, "", -1, 20000, &out, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

static void failing_and_missing_programs_are_told_apart_from_success(void **state)
{
    AUTO(buf_dispose) struct buf out = BUF(4096);
    struct error err = {0};
    const char *const fails[] = {"false", NULL};
    const char *const missing[] = {"no-such-program-here", NULL};
    assert_false(run(fails, "", -1, 5000, &out, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_false(run(missing, "", -1, 5000, &out, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_goes_in_and_output_comes_out),
        cmocka_unit_test(the_extra_file_is_descriptor_three),
        cmocka_unit_test(nothing_else_of_ours_is_open_in_it),
        cmocka_unit_test(a_child_that_hangs_is_stopped),
        cmocka_unit_test(a_child_that_floods_is_stopped),
        cmocka_unit_test(failing_and_missing_programs_are_told_apart_from_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
