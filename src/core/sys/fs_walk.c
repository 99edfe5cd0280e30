/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sys/fs_internal.h"

#ifdef O_PATH
enum { FOLDER = O_PATH }; /* passing through needs no permission to list */
#else
enum { FOLDER = O_RDONLY };
#endif

int fs_open_walking(int root, const char *path, int flags, mode_t mode)
{
    char component[NAME_MAX + 1];
    int dir = root;
    flags |= O_CLOEXEC;
    if (!*path)
        return openat(root, ".", flags, mode);
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
        int fd = last ? openat(dir, component, flags | O_NOFOLLOW, mode)
                      : openat(dir, component, FOLDER | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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
