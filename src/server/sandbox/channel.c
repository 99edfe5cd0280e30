/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/channel_internal.h"

union control {
    char room[CMSG_SPACE(sizeof(int) * MAX_PASSED)];
    struct cmsghdr alignment;
};

bool channel_send(int socket, const void *message, size_t size, const int *fds, int count)
{
    union control control = {.room = {0}};
    struct iovec part = {(void *)(uintptr_t)message, size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        header.msg_control = control.room;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *passed = CMSG_FIRSTHDR(&header);
        passed->cmsg_level = SOL_SOCKET;
        passed->cmsg_type = SCM_RIGHTS;
        passed->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(passed), fds, sizeof(int) * (size_t)count);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

static int fds_take(struct msghdr *header, int *fds, int room)
{
    int count = 0;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t passed = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < passed; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
            if (count < room)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

bool channel_receive(int socket, void *message, size_t size, int *fds, int *count)
{
    union control control;
    struct iovec part = {message, size};
    /* Without the padding behind the last, in which one more descriptor would fit. */
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = CMSG_LEN(sizeof(int) * MAX_PASSED)};
    ssize_t got;
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return false;
    *count = fds_take(&header, fds, *count);
    if (got == (ssize_t)size && !(header.msg_flags & MSG_CTRUNC))
        return true;
    for (int i = 0; i < *count; i++)
        close(fds[i]);
    *count = 0;
    errno = got == 0 ? 0 : EPROTO;
    return false;
}
