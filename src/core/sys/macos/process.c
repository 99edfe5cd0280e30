/* SPDX-License-Identifier: Apache-2.0 */
#include <libproc.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/connections.h"

enum { FDS_MAX = 256, CHILDREN_MAX = 16, DEPTH = 2 };

static bool address_of(const struct in_sockinfo *ends, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){0};
    if (ends->insi_vflag & INI_IPV4) {
        struct sockaddr_in v4 = {.sin_len = sizeof v4,
                                 .sin_family = AF_INET,
                                 .sin_port = (in_port_t)ends->insi_fport,
                                 .sin_addr = ends->insi_faddr.ina_46.i46a_addr4};
        memcpy(out, &v4, sizeof v4);
        return v4.sin_port != 0;
    }
    struct sockaddr_in6 v6 = {.sin6_len = sizeof v6,
                              .sin6_family = AF_INET6,
                              .sin6_port = (in_port_t)ends->insi_fport,
                              .sin6_addr = ends->insi_faddr.ina_6};
    memcpy(out, &v6, sizeof v6);
    return v6.sin6_port != 0;
}

static bool look_up(pid_t pid, struct sockaddr_storage *out)
{
    struct proc_fdinfo fds[FDS_MAX];
    int size = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, fds, sizeof fds);
    for (int i = 0; i < size / (int)sizeof *fds; i++) {
        struct socket_fdinfo about;
        if (fds[i].proc_fdtype != PROX_FDTYPE_SOCKET ||
            proc_pidfdinfo(pid, fds[i].proc_fd, PROC_PIDFDSOCKETINFO, &about, sizeof about) <
                (int)sizeof about ||
            about.psi.soi_kind != SOCKINFO_TCP ||
            about.psi.soi_proto.pri_tcp.tcpsi_state != TSI_S_ESTABLISHED)
            continue;
        if (address_of(&about.psi.soi_proto.pri_tcp.tcpsi_ini, out))
            return true;
    }
    return false;
}

static bool search(pid_t pid, struct sockaddr_storage *out, int depth)
{
    pid_t children[CHILDREN_MAX] = {0};
    if (look_up(pid, out))
        return true;
    int count = depth > 0 ? proc_listchildpids(pid, children, sizeof children) : 0;
    for (int i = 0; i < count && i < CHILDREN_MAX; i++)
        if (children[i] > 0 && search(children[i], out, depth - 1))
            return true;
    return false;
}

bool connection_of(pid_t pid, struct sockaddr_storage *out)
{
    return search(pid, out, DEPTH);
}
