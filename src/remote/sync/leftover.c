/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"

enum { OLD_S = 600 /* nobody works on one name for so long without a change */ };

static const char prefix[] = ".vma-stage-";

const char *leftover_name(const char *staged, char out[LEFTOVER_NAME_SIZE])
{
    snprintf(out, LEFTOVER_NAME_SIZE, "%s%.24s", prefix, staged);
    return out;
}

bool leftover_is(const char *name)
{
    size_t size = sizeof prefix - 1;
    if (strncmp(name, prefix, size) != 0)
        return false;
    size_t digits = strspn(name + size, "0123456789abcdef");
    return digits > 0 && digits <= 16 && !name[size + digits];
}

bool leftover_claim(int fd)
{
    struct stat stat;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false; /* somebody removes it; where there are no locks its age protects it */
    return fstat(fd, &stat) != 0 || stat.st_nlink > 0;
}

void leftover_remove(int dir, const char *name)
{
    struct stat stat;
    if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 ||
        (!S_ISREG(stat.st_mode) && !S_ISLNK(stat.st_mode)))
        return;
    bool free = stat.st_ctime < time(NULL) - OLD_S;
    if (!free && S_ISREG(stat.st_mode)) {
        AUTO(fd_close) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        free = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    if (free)
        unlinkat(dir, name, 0);
}
