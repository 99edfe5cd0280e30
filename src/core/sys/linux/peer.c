/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/peer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

bool peer_user(int socket, uid_t *out)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return false;
    *out = credentials.uid;
    return true;
}

bool boot_name(char out[BOOT_NAME_SIZE])
{
    AUTO(fd_close) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, out, BOOT_NAME_SIZE - 1) : -1;
    while (size > 0 && out[size - 1] == '\n')
        size--;
    out[size > 0 ? size : 0] = '\0';
    return size > 0;
}

char *self_path(struct error *err)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || (size_t)length >= sizeof path) {
        error_os(err, length < 0 ? errno : ENAMETOOLONG, "find this program's own file");
        return NULL;
    }
    return xstrndup(path, (size_t)length);
}

int64_t boot_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int netwatch_open(struct error *err)
{
    AUTO(fd_close)
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    struct sockaddr_nl address = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                     RTMGRP_IPV6_ROUTE,
    };
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        error_os(err, errno, "watch the network");
        return -1;
    }
    return fd_take(&fd);
}

bool netwatch_drain(int fd)
{
    char room[8192] __attribute__((aligned(16)));
    bool changed = false;
    for (;;) {
        ssize_t size = recv(fd, room, sizeof room, 0);
        if (size < 0 && errno == ENOBUFS) {
            changed = true; /* more than fits: something changed for sure */
            continue;
        }
        if (size <= 0)
            return changed;
        changed = true;
    }
}

void lookup_words(const char *host, const char *out[LOOKUP_WORDS_MAX])
{
    const char *const words[] = {"getent", "ahosts", "--", host, NULL};
    memcpy(out, words, sizeof words);
}

void pipe_widen(int fd, int bytes)
{
    if (fcntl(fd, F_SETPIPE_SZ, bytes) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool computes_aes(void)
{
    AUTO(buf_dispose) struct buf text = BUF(4 * 1024 * 1024);
    return file_read("/proc/cpuinfo", &text, NULL) && strstr(buf_string(&text), " aes");
}

void random_bytes(void *out, size_t size)
{
    uint8_t *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
}
