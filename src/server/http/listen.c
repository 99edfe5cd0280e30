/* SPDX-License-Identifier: Apache-2.0 */
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/error.h"

enum { BACKLOG = 1024 };

static int bind_to(const struct addrinfo *address, struct error *err)
{
    AUTO(fd_close)
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        error_os(err, errno, "listen");
        return -1;
    }
    return fd_take(&fd);
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool address_of(int fd, union address *out)
{
    socklen_t size = sizeof *out;
    memset(out, 0, sizeof *out);
    return getsockname(fd, &out->any, &size) == 0;
}

static int port_of(int fd)
{
    union address address;
    if (!address_of(fd, &address))
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

bool listen_is_loopback(int fd)
{
    union address address;
    if (!address_of(fd, &address))
        return false;
    if (address.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr) != 0;
    return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

int listen_open(const char *host, int port, int *out_port, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    int status = getaddrinfo(host, service, &hints, &addresses);
    if (status != 0) {
        error_set(err, ERROR_INVALID, "the address \"%s\" to listen on: %s", host,
                  gai_strerror(status));
        return -1;
    }
    int fd = bind_to(addresses, err);
    freeaddrinfo(addresses);
    if (fd < 0) {
        if (err && err->os == EADDRINUSE)
            error_set(err, ERROR_CONFLICT,
                      "port %d of %s is taken by another program: stop that, or choose another "
                      "port with --port (0 takes any free one)",
                      port, host);
        else if (err && err->os == EADDRNOTAVAIL)
            error_set(err, ERROR_INVALID, "this machine has no address %s to listen on: see --host",
                      host);
        else if (err && err->os == EACCES && port > 0 && port < 1024)
            error_set(err, ERROR_DENIED,
                      "port %d of %s: only a privileged user may listen below 1024: choose a "
                      "higher port with --port, or put a proxy in front",
                      port, host);
        else if (err)
            error_wrap(err, "port %d of %s", port, host);
        return -1;
    }
    *out_port = port_of(fd);
    return fd;
}
