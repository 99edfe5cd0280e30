/* SPDX-License-Identifier: Apache-2.0 */
#include "link/ciphers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/fds.h"
#include "sys/peer.h"
#include "sys/spawn.h"

enum { OUTPUT_MAX = 256 * 1024, PATIENCE_MS = 1000, WORDS_MAX = 32 };

static const char fastest[] = "aes128-gcm@openssh.com";
static const char default_first[] = "chacha20-poly1305@openssh.com";

char *ciphers_order(struct bytes configuration)
{
    AUTO(mem_free) char *text = xstrndup((const char *)configuration.data, configuration.size);
    char *line = text_starts(text, "ciphers ") ? text : strstr(text, "\nciphers ");
    if (!line)
        return NULL;
    char *list = strchr(line, ' ') + 1;
    list[strcspn(list, "\r\n")] = '\0';
    char *found = strstr(list, fastest);
    size_t length = sizeof fastest - 1;
    if (!found || found == list || !text_starts(list, default_first) || found[-1] != ',' ||
        (found[length] != ',' && found[length] != '\0'))
        return NULL;
    return xasprintf("%s,%.*s%s", fastest, (int)(found - 1 - list), list, found + length);
}

/* False when it took too long. */
static bool read_all(int fd, struct buf *out)
{
    int64_t end_ms = mono_ms() + PATIENCE_MS;
    for (;;) {
        int64_t left_ms = end_ms - mono_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0)
            return false;
        uint8_t *room = buf_reserve(out, 4096, NULL);
        ssize_t got = room ? read(fd, room, 4096) : -1;
        if (got > 0)
            buf_commit(out, (size_t)got);
        else if (got == 0 || errno != EINTR)
            return got == 0;
    }
}

char *ciphers_find(const char *const *ssh, const char *host)
{
    const char *arguments[WORDS_MAX + 4];
    size_t count = 0;
    int ends[2];
    if (!computes_aes() || fds_pipe(ends, FDS_BLOCKING) != 0)
        return NULL;
    while (ssh[count] && count < WORDS_MAX) {
        arguments[count] = ssh[count];
        count++;
    }
    arguments[count++] = "-G";
    arguments[count++] = "--";
    arguments[count++] = host;
    arguments[count] = NULL;
    struct spawn spawn = {.arguments = arguments, .fds = {-1, ends[1], -1}, .own_session = true};
    pid_t pid = spawn_start(&spawn, NULL);
    close(ends[1]);
    AUTO(buf_dispose) struct buf output = BUF(OUTPUT_MAX);
    bool answered = pid > 0 && read_all(ends[0], &output);
    close(ends[0]);
    if (pid > 0) {
        if (!answered)
            kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return answered ? ciphers_order(buf_bytes(&output)) : NULL;
}
