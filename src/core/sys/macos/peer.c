/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <net/route.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
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

bool boot_name(char out[BOOT_NAME_SIZE])
{
    size_t size = BOOT_NAME_SIZE;
    return sysctlbyname("kern.bootsessionuuid", out, &size, NULL, 0) == 0 && size > 1;
}

char *self_path(struct error *err)
{
    char path[PATH_MAX], whole[PATH_MAX]; /* it may come with links, or relative */
    uint32_t size = sizeof path;
    bool fits = _NSGetExecutablePath(path, &size) == 0;
    if (!fits || !realpath(path, whole)) {
        error_os(err, fits ? errno : ENAMETOOLONG, "find this program's own file");
        return NULL;
    }
    return xstrdup(whole);
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

/* Every neighbour that is met makes a route of its own, which is no news. */
static bool matters(const char *room, ssize_t size)
{
    struct rt_msghdr message;
    if (size < (ssize_t)sizeof message) /* only messages about interfaces are shorter */
        return true;
    memcpy(&message, room, sizeof message);
    switch (message.rtm_type) {
    case RTM_ADD:
    case RTM_DELETE:
    case RTM_CHANGE:
        return !(message.rtm_flags & (RTF_LLINFO | RTF_WASCLONED | RTF_HOST));
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_IFINFO:
        return true;
    default:
        return false;
    }
}

bool netwatch_drain(int fd)
{
    char room[2048];
    bool changed = false;
    for (;;) {
        ssize_t size = read(fd, room, sizeof room);
        if (size < 0 && errno == ENOBUFS) {
            changed = true; /* more than fits: something changed for sure */
            continue;
        }
        if (size <= 0)
            return changed;
        changed = matters(room, size) || changed;
    }
}

void lookup_words(const char *host, const char *out[LOOKUP_WORDS_MAX])
{
    const char *const words[] = {"dscacheutil", "-q", "host", "-a", "name", host, NULL};
    memcpy(out, words, sizeof words);
}

void pipe_widen(int fd, int bytes)
{
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); /* pipes grow by themselves */
}

bool computes_aes(void)
{
    return true; /* every Mac that runs a system of these years */
}

void random_bytes(void *out, size_t size)
{
    arc4random_buf(out, size);
}
