/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

/* Closes what it cannot set up. */
static int set_up(int fd, int mode, bool is_socket)
{
    int one = 1;
    int flags = fcntl(fd, F_GETFL);
    int wanted = mode == FDS_NONBLOCKING ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (is_socket) /* there is no such flag for a single send */
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
    if (flags >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        (wanted == flags || fcntl(fd, F_SETFL, wanted) == 0))
        return fd;
    int os = errno;
    close(fd);
    errno = os;
    return -1;
}

static int set_up_both(int ends[2], int mode, bool is_socket)
{
    int second = ends[1];
    if (set_up(ends[0], mode, is_socket) < 0) {
        int os = errno;
        close(second);
        errno = os;
        return -1;
    }
    if (set_up(second, mode, is_socket) < 0) {
        int os = errno;
        close(ends[0]);
        errno = os;
        return -1;
    }
    return 0;
}

int fds_pipe(int out[2], int mode)
{
    return pipe(out) == 0 ? set_up_both(out, mode, false) : -1;
}

int fds_pair(int out[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, out) == 0 ? set_up_both(out, FDS_BLOCKING, true)
                                                         : -1;
}

int fds_socket(int family, int type, int protocol, int mode)
{
    int fd = socket(family, type, protocol);
    return fd < 0 ? fd : set_up(fd, mode, true);
}

int fds_accept(int listener, int mode)
{
    int fd = accept(listener, NULL, NULL);
    return fd < 0 ? fd : set_up(fd, mode, true);
}

int fds_reopen(int fd, int how)
{
    char path[128]; /* what opens /dev/fd/N has the very same file, flags and all */
    int failed = ttyname_r(fd, path, sizeof path);
    if (failed == 0)
        return open(path, how | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    errno = failed;
    return -1;
}

int fds_poll(struct pollfd *fds, unsigned count, int64_t wait_us)
{
    int64_t wait_ms = (wait_us + 999) / 1000;
    return poll(fds, count, wait_us < 0 ? -1 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms);
}
