/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fds.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int socket_flags(int mode)
{
    return SOCK_CLOEXEC | (mode == FDS_NONBLOCKING ? SOCK_NONBLOCK : 0);
}

int fds_pipe(int out[2], int mode)
{
    return pipe2(out, O_CLOEXEC | (mode == FDS_NONBLOCKING ? O_NONBLOCK : 0));
}

int fds_pair(int out[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out);
}

int fds_socket(int family, int type, int protocol, int mode)
{
    return socket(family, type | socket_flags(mode), protocol);
}

int fds_accept(int listener, int mode)
{
    return accept4(listener, NULL, NULL, socket_flags(mode));
}

int fds_reopen(int fd, int how)
{
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    return open(path, how | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

int fds_poll(struct pollfd *fds, unsigned count, int64_t wait_us)
{
    struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    return ppoll(fds, count, wait_us < 0 ? NULL : &wait, NULL);
}
