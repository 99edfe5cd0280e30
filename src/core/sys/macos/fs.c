/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/clonefile.h>
#include <unistd.h>

#include "sys/fs_internal.h"

int fs_open_beneath(int root, const char *path, int flags, mode_t mode)
{
    return fs_open_walking(root, path, flags, mode);
}

int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    int done = renameatx_np(from_dir, from, to_dir, to, RENAME_EXCL);
    if (done == 0 || (errno != ENOTSUP && errno != EINVAL))
        return done;
    return fs_rename_new_in_steps(from_dir, from, to_dir, to); /* its kind lacks the flag */
}

int fs_rename_exchange(int from_dir, const char *from, int to_dir, const char *to)
{
    int done = renameatx_np(from_dir, from, to_dir, to, RENAME_SWAP);
    if (done != 0 && errno == ENOTSUP)
        errno = ENOSYS;
    return done;
}

int fs_clone(int from, int to)
{
    (void)from, (void)to; /* clonefile makes a name, and ours exists already */
    errno = ENOTSUP;
    return -1;
}

void fs_write_soon(int fd)
{
    (void)fd; /* nothing there begins without waiting */
}

int fs_chmod(int dir, const char *name, mode_t mode)
{
    return fchmodat(dir, name, mode, AT_SYMLINK_NOFOLLOW);
}

int64_t fs_mtime_ns(const struct stat *stat)
{
    return (int64_t)stat->st_mtimespec.tv_sec * 1000000000 + stat->st_mtimespec.tv_nsec;
}

int64_t fs_ctime_ns(const struct stat *stat)
{
    return (int64_t)stat->st_ctimespec.tv_sec * 1000000000 + stat->st_ctimespec.tv_nsec;
}
