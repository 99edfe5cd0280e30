/* SPDX-License-Identifier: Apache-2.0 */
/* What is opened beneath a folder is beneath it, by the system's call and by walking. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "sys/fs.h"
#include "sys/fs_internal.h"

typedef int opener(int root, const char *path, int flags, mode_t mode);

static void open_both_ways(const char *path, bool opens)
{
    static opener *const openers[] = {fs_open_beneath, fs_open_walking};
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(mem_free) char *root = xasprintf("%s/root", top);
    AUTO(mem_free) char *inner = xasprintf("%s/d", root);
    AUTO(mem_free) char *file = xasprintf("%s/f", inner);
    AUTO(mem_free) char *outside = xasprintf("%s/secret", top);
    AUTO(mem_free) char *link = xasprintf("%s/out", root);
    AUTO(mem_free) char *twin = xasprintf("%s/twin", root);
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(inner, 0700), 0);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(open(outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(symlink("..", link), 0);
    assert_int_equal(symlink("d/f", twin), 0);
    AUTO(fd_close) int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        AUTO(fd_close) int fd = openers[i](folder, path, O_RDONLY, 0);
        if ((fd >= 0) != opens)
            fail_msg("\"%s\" %s (way %zu)", path, opens ? "does not open" : "opens", i);
        if (fd >= 0)
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
}

static void what_is_beneath_opens(void **state)
{
    open_both_ways("", true);
    open_both_ways("d", true);
    open_both_ways("d/f", true);
}

static void nothing_leads_out(void **state)
{
    static const char *const paths[] = {"../secret", "d/../../secret", "out/secret", "out",
                                        "twin",      "/etc/passwd",    "missing",    ".."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        open_both_ways(paths[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beneath_opens),
        cmocka_unit_test(nothing_leads_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
