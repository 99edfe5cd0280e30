/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fs_internal.h"

int fs_open_beneath(int root, const char *path, int flags, mode_t mode)
{
    if (!*path)
        return openat(root, ".", flags | O_CLOEXEC, mode);
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    for (unsigned attempts = 0; attempts < 64; attempts++) {
        int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN) { /* EAGAIN: something was renamed meanwhile */
            if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
                return fd;
            break;
        }
    }
    /* A kernel before 5.6, or a sandbox that refuses openat2. */
    return fs_open_walking(root, path, flags, mode);
}

int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    int done = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
    if (done == 0 || (errno != EINVAL && errno != ENOSYS))
        return done;
    return fs_rename_new_in_steps(from_dir, from, to_dir, to); /* its kind lacks the flag */
}

int fs_rename_exchange(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, RENAME_EXCHANGE);
}

int fs_clone(int from, int to)
{
    return ioctl(to, FICLONE, from);
}

void fs_write_soon(int fd)
{
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int fs_chmod(int dir, const char *name, mode_t mode)
{
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    struct stat stat;
    int done = fstat(fd, &stat);
    if (done == 0 && S_ISLNK(stat.st_mode)) {
        errno = ELOOP;
        done = -1;
    }
    char path[48];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (done == 0)
        done = chmod(path, mode);
    int failed = errno;
    close(fd);
    errno = failed;
    return done;
}

int64_t fs_mtime_ns(const struct stat *stat)
{
    return (int64_t)stat->st_mtim.tv_sec * 1000000000 + stat->st_mtim.tv_nsec;
}

int64_t fs_ctime_ns(const struct stat *stat)
{
    return (int64_t)stat->st_ctim.tv_sec * 1000000000 + stat->st_ctim.tv_nsec;
}
