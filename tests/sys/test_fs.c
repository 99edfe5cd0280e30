/* SPDX-License-Identifier: Apache-2.0 */
/* What is opened beneath a folder is beneath it, and nothing is moved over: by the system's calls
 * and by those that stand in for them. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

typedef int mover(int from_dir, const char *from, int to_dir, const char *to);

static bool is_there(int dir, const char *name)
{
    struct stat stat;
    return fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(int dir, const char *name, const char *text)
{
    AUTO(fd_close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void assert_content(int dir, const char *name, const char *text)
{
    char got[64] = "";
    AUTO(fd_close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && read(fd, got, sizeof got - 1) >= 0);
    assert_string_equal(got, text);
}

static void move_all_kinds(mover *move)
{
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(fd_close) int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(dir, "file", "one");
    assert_int_equal(symlinkat("nowhere", dir, "link"), 0);
    assert_int_equal(mkdirat(dir, "folder", 0700), 0);
    put(dir, "folder/inner", "two");
    assert_int_equal(move(dir, "file", dir, "folder/file"), 0);
    assert_int_equal(move(dir, "link", dir, "other"), 0);
    assert_int_equal(move(dir, "folder", dir, "place"), 0);
    assert_content(dir, "place/file", "one");
    assert_content(dir, "place/inner", "two");
    assert_true(is_there(dir, "other"));
    assert_false(is_there(dir, "file") || is_there(dir, "link") || is_there(dir, "folder"));
}

static void what_is_there_is_not_moved_over(mover *move)
{
    static const char *const names[] = {"file", "folder", "link"};
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(fd_close) int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(dir, "file", "mine");
    assert_int_equal(symlinkat("file", dir, "link"), 0);
    assert_int_equal(mkdirat(dir, "folder", 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            if (i == j)
                continue;
            errno = 0;
            assert_int_equal(move(dir, names[i], dir, names[j]), -1);
            assert_int_equal(errno, EEXIST);
        }
    assert_content(dir, "file", "mine");
    assert_int_equal(move(dir, "missing", dir, "new"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(move(dir, "folder", dir, "folder/inner"), -1);
    assert_false(is_there(dir, "new") || is_there(dir, "folder/inner"));
    assert_true(is_there(dir, "folder") && is_there(dir, "link"));
}

static void names_move_only_where_nothing_is(void **state)
{
    static mover *const movers[] = {fs_rename_new, fs_rename_new_in_steps, fs_rename_new_by_taking};
    (void)state;
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++) {
        move_all_kinds(movers[i]);
        what_is_there_is_not_moved_over(movers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_beneath_opens),
        cmocka_unit_test(nothing_leads_out),
        cmocka_unit_test(names_move_only_where_nothing_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
