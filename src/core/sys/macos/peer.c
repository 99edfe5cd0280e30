/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <net/route.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"

bool peer_user(int socket, uid_t *out)
{
    gid_t group;
    return getpeereid(socket, out, &group) == 0;
}

char *self_path(struct error *err)
{
    char path[PATH_MAX];
    uint32_t size = sizeof path;
    if (_NSGetExecutablePath(path, &size) != 0) {
        error_os(err, ENAMETOOLONG, "find this program's own file");
        return NULL;
    }
    return xstrdup(path);
}

int64_t boot_ms(void)
{
    return (int64_t)(clock_gettime_nsec_np(CLOCK_MONOTONIC) / 1000000);
}

int netwatch_open(struct error *err)
{
    int fd = socket(PF_ROUTE, SOCK_RAW, AF_UNSPEC);
    if (fd < 0) {
        error_os(err, errno, "watch the network");
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

bool netwatch_drain(int fd)
{
    char room[2048];
    bool changed = false;
    while (read(fd, room, sizeof room) > 0)
        changed = true;
    return changed;
}

void pipe_widen(int fd, int bytes)
{
    (void)fd, (void)bytes; /* they grow by themselves here */
}

void random_bytes(void *out, size_t size)
{
    arc4random_buf(out, size);
}
