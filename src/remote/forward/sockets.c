/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "forward/resolve.h"
#include "sys/fdpass.h"
#include "sys/fds.h"

static bool unix_address(const char *path, struct sockaddr_un *out, struct error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path)
        return error_set(err, ERROR_LIMIT, "socket path of %zu bytes, at most %zu", strlen(path),
                         sizeof out->sun_path - 1);
    memcpy(out->sun_path, path, strlen(path) + 1);
    return true;
}

static int tcp_new(const struct resolved *address)
{
    int one = 1;
    int fd = fds_socket(address->as.any.sa_family, SOCK_STREAM, 0, FDS_NONBLOCKING);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int listen_unix(const struct forward_place *place, struct error *err)
{
    AUTO(fd_close) int fd = unix_listen(place->host, err);
    if (fd < 0)
        return -1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        error_os(err, errno, "listen on %s", place->host);
        return -1;
    }
    return fd_take(&fd);
}

int sockets_listen(const struct forward_place *place, uint16_t *out_port, struct error *err)
{
    struct resolved address;
    int one = 1;
    *out_port = 0;
    if (place->is_path)
        return listen_unix(place, err);
    if (!resolve(place->host, place->port, &address, 1, err))
        return -1;
    AUTO(fd_close) int fd = tcp_new(&address);
    if (fd < 0) {
        error_os(err, errno, "make a socket");
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, &address.as.any, address.size) != 0 || listen(fd, 1024) != 0) {
        if (errno == EADDRINUSE) {
            error_set(err, ERROR_CONFLICT, "port %u of %s is taken by another program", place->port,
                      place->host);
            err->os = EADDRINUSE;
        } else if (errno == EADDRNOTAVAIL) {
            error_set(err, ERROR_NOT_FOUND,
                      "listen on %s: that is no address of the machine that is to listen",
                      place->host);
            err->os = EADDRNOTAVAIL;
        } else {
            error_os(err, errno, "listen on %s port %u", place->host, place->port);
        }
        return -1;
    }
    struct resolved bound = {.size = sizeof bound.as};
    getsockname(fd, &bound.as.any, &bound.size);
    *out_port =
        ntohs(bound.as.any.sa_family == AF_INET6 ? bound.as.v6.sin6_port : bound.as.v4.sin_port);
    return fd_take(&fd);
}

static int connect_unix(const struct forward_place *place, bool *out_connecting, struct error *err)
{
    struct sockaddr_un address;
    if (!unix_address(place->host, &address, err))
        return -1;
    AUTO(fd_close) int fd = fds_socket(AF_UNIX, SOCK_STREAM, 0, FDS_NONBLOCKING);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        error_os(err, errno, "connect to %s", place->host);
        return -1;
    }
    *out_connecting = false;
    return fd_take(&fd);
}

int sockets_connect_any(const struct resolved *addresses, size_t count,
                        const struct forward_place *place, bool *out_connecting, struct error *err)
{
    if (place->is_path)
        return connect_unix(place, out_connecting, err);
    for (size_t i = 0; i < count; i++) {
        AUTO(fd_close) int fd = tcp_new(&addresses[i]);
        if (fd < 0) {
            error_os(err, errno, "make a socket");
            continue;
        }
        int failed = connect(fd, &addresses[i].as.any, addresses[i].size);
        if (failed == 0 || errno == EINPROGRESS) {
            *out_connecting = failed != 0;
            return fd_take(&fd);
        }
        error_os(err, errno, "connect to %s port %u", place->host, place->port);
    }
    return -1;
}

int sockets_accept(int listener)
{
    int one = 1;
    int fd = fds_accept(listener, FDS_NONBLOCKING);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}
