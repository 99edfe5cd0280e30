/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "sys/fds.h"
#include "sys/peer.h"

enum { HOLD_TRIES = 1000 /* of a millisecond */ };

bool fdpass_send(int socket, struct bytes text, const int *fds, size_t count, struct error *err)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)text.data, text.size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = CMSG_SPACE(sizeof(int) * count),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent != (ssize_t)text.size)
        return error_os(err, sent < 0 ? errno : EPIPE, "hand over descriptors");
    return true;
}

bool fdpass_receive(int socket, void *text, size_t *inout_size, int *out_fds, size_t count,
                    struct error *err)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
    } control;
    struct iovec part = {text, *inout_size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof control.room,
    };
    ssize_t got;
    do
        got = recvmsg(socket, &message, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return error_os(err, got < 0 ? errno : ECONNRESET, "receive descriptors");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    size_t found = 0;
    int fds[FDPASS_MAX];
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), found * sizeof(int));
    }
    if (found != count) {
        for (size_t i = 0; i < found; i++)
            close(fds[i]);
        return error_set(err, ERROR_INVALID, "%zu descriptors where %zu were expected", found,
                         count);
    }
    for (size_t i = 0; i < count; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        out_fds[i] = fds[i];
    }
    *inout_size = (size_t)got;
    return true;
}

static bool address_of(const char *path, struct sockaddr_un *out, struct error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path)
        return error_set(err, ERROR_LIMIT, "socket path %s is longer than %zu bytes", path,
                         sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, strlen(path) + 1);
    return true;
}

static int socket_new(struct error *err)
{
    int fd = fds_socket(AF_UNIX, SOCK_STREAM, 0, FDS_BLOCKING);
    if (fd < 0)
        error_os(err, errno, "make a socket");
    return fd;
}

int unix_connect(const char *path, struct error *err)
{
    struct sockaddr_un address;
    if (!address_of(path, &address, err))
        return -1;
    AUTO(fd_close) int fd = socket_new(err);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        error_os(err, errno, "connect to %s", path);
        return -1;
    }
    return fd_take(&fd);
}

/* Between bind and listen a socket looks as dead as one whose process was killed. Whoever makes or
 * removes one holds the folder, so that neither takes the other's for dead. -1 when it cannot be
 * held. */
static int folder_hold(const char *path, int tries)
{
    const char *slash = strrchr(path, '/');
    AUTO(mem_free)
    char *folder =
        slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
    AUTO(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        struct timespec moment = {.tv_nsec = 1000 * 1000};
        if ((errno != EWOULDBLOCK && errno != EINTR) || --tries <= 0)
            return -1;
        nanosleep(&moment, NULL);
    }
    return fd_take(&fd);
}

static bool is_socket(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

int unix_listen(const char *path, struct error *err)
{
    struct sockaddr_un address;
    if (!address_of(path, &address, err))
        return -1;
    AUTO(fd_close) int hold = folder_hold(path, HOLD_TRIES);
    AUTO(fd_close) int other = unix_connect(path, NULL);
    if (other >= 0) {
        error_set(err, ERROR_CONFLICT, "somebody listens on %s already", path);
        return -1;
    }
    if (is_socket(path))
        unlink(path);
    AUTO(fd_close) int fd = socket_new(err);
    if (fd < 0)
        return -1;
    mode_t before = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    int os = errno;
    umask(before);
    if (bound != 0 || listen(fd, 128) != 0) {
        error_os(err, bound != 0 ? os : errno, "listen on %s", path);
        return -1;
    }
    return fd_take(&fd);
}

void unix_sweep(const char *path, const char *companion)
{
    AUTO(fd_close) int hold = folder_hold(path, 1);
    if (hold < 0 || !is_socket(path))
        return;
    struct error err;
    AUTO(fd_close) int other = unix_connect(path, &err);
    if (other >= 0 || err.os != ECONNREFUSED)
        return;
    unlink(path);
    if (companion)
        unlink(companion);
}

bool unix_peer_is_us(int socket)
{
    uid_t user;
    return peer_user(socket, &user) && (user == geteuid() || user == 0);
}
