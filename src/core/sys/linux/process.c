/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/connections.h"

enum { TABLE_MAX = 4 * 1024 * 1024, SOCKETS_MAX = 16, DEPTH = 2 };

/* The numbers of its sockets. */
static size_t sockets_of(pid_t pid, unsigned long *out)
{
    char path[64], target[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && count < SOCKETS_MAX && (entry = readdir(entries));) {
        ssize_t length = readlinkat(dirfd(entries), entry->d_name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (text_starts(target, "socket:["))
            out[count++] = strtoul(target + strlen("socket:["), NULL, 10);
    }
    if (entries)
        closedir(entries);
    return count;
}

static bool look_up(pid_t pid, struct sockaddr_storage *out)
{
    unsigned long sockets[SOCKETS_MAX];
    size_t count = sockets_of(pid, sockets);
    for (int six = 0; count > 0 && six <= 1; six++) {
        AUTO(buf_dispose) struct buf table = BUF(TABLE_MAX);
        char path[64];
        snprintf(path, sizeof path, "/proc/%ld/net/tcp%s", (long)pid, six ? "6" : "");
        if (!file_read(path, &table, NULL))
            continue;
        for (size_t i = 0; i < count; i++)
            if (connection_in_table(buf_bytes(&table), six, sockets[i], out))
                return true;
    }
    return false;
}

static bool search(pid_t pid, struct sockaddr_storage *out, int depth)
{
    char path[64];
    if (look_up(pid, out))
        return true;
    if (depth == 0)
        return false;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    AUTO(buf_dispose) struct buf children = BUF(64 * 1024);
    if (!file_read(path, &children, NULL))
        return false;
    char *end;
    for (const char *at = buf_string(&children); *at; at = end) {
        pid_t child = (pid_t)strtol(at, &end, 10);
        if (end == at)
            break;
        if (search(child, out, depth - 1))
            return true;
    }
    return false;
}

bool connection_of(pid_t pid, struct sockaddr_storage *out)
{
    return search(pid, out, DEPTH);
}
