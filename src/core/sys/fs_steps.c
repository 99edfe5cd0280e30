/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fs_internal.h"

static int fails_with(int os)
{
    errno = os;
    return -1;
}

static int take(int dir, const char *name, bool folder)
{
    if (folder)
        return mkdirat(dir, name, 0700);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
}

int fs_rename_new_by_taking(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat stat;
    if (fstatat(from_dir, from, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    bool folder = S_ISDIR(stat.st_mode);
    if (take(to_dir, to, folder) != 0)
        return -1;
    if (renameat(from_dir, from, to_dir, to) == 0)
        return 0;
    int failed = errno;
    unlinkat(to_dir, to, folder ? AT_REMOVEDIR : 0);
    return fails_with(failed == ENOTEMPTY ? EEXIST : failed);
}

static bool has_no_links(int os)
{
    return os == EPERM || os == EINVAL || os == ENOSYS || os == EMLINK || os == ENOTSUP;
}

int fs_rename_new_in_steps(int from_dir, const char *from, int to_dir, const char *to)
{
    if (linkat(from_dir, from, to_dir, to, 0) != 0)
        return has_no_links(errno) ? fs_rename_new_by_taking(from_dir, from, to_dir, to) : -1;
    if (unlinkat(from_dir, from, 0) == 0)
        return 0;
    int failed = errno;
    unlinkat(to_dir, to, 0);
    return fails_with(failed);
}
