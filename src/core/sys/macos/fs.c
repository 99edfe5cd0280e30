/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/clonefile.h>
#include <unistd.h>

int fs_open_beneath(int root, const char *path, int flags, mode_t mode)
{
    char component[NAME_MAX + 1];
    int dir = root;
    if (!*path)
        return openat(root, ".", flags | O_CLOEXEC, mode);
    for (;;) {
        size_t size = strcspn(path, "/");
        if (size == 0 || size > NAME_MAX) {
            errno = size ? ENAMETOOLONG : EINVAL;
            break;
        }
        memcpy(component, path, size);
        component[size] = '\0';
        if (strcmp(component, "..") == 0 || strcmp(component, ".") == 0) {
            errno = EXDEV;
            break;
        }
        bool last = path[size] == '\0';
        int fd = last ? openat(dir, component, flags | O_NOFOLLOW | O_CLOEXEC, mode)
                      : openat(dir, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int failed = errno;
        if (dir != root)
            close(dir);
        errno = failed;
        if (fd < 0 || last)
            return fd;
        dir = fd;
        path += size + 1;
    }
    int failed = errno;
    if (dir != root)
        close(dir);
    errno = failed;
    return -1;
}

int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameatx_np(from_dir, from, to_dir, to, RENAME_EXCL);
}

int fs_rename_exchange(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameatx_np(from_dir, from, to_dir, to, RENAME_SWAP);
}

int fs_clone(int from, int to)
{
    (void)from, (void)to; /* clonefile makes a name, and ours exists already */
    errno = ENOTSUP;
    return -1;
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
