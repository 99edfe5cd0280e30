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

enum {
    OLD_S = 600, /* nobody works on one name for so long without a change */
    CLAIM_TRIES = 1000,
    NAP_NS = 1000 * 1000,
};

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

/* Who removes it holds it for a moment only, and then it is gone: that is waited for. A name that
 * is made again before would be what is removed. */
bool leftover_claim(int fd)
{
    struct stat stat;
    for (unsigned tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; tries++) {
        if (tries == CLAIM_TRIES)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    } /* where there are no locks its age protects it */
    return fstat(fd, &stat) != 0 || stat.st_nlink > 0;
}

/* Nobody else has it, and it still has that name. */
static bool is_ours(int fd, int dir, const char *name)
{
    struct stat ours, named;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 &&
           fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
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
        if (fd >= 0 && is_ours(fd, dir, name))
            unlinkat(dir, name, 0); /* still held: see leftover_claim */
    }
    if (free)
        unlinkat(dir, name, 0);
}
