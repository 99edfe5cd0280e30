/* SPDX-License-Identifier: Apache-2.0 */
#include "link/ciphers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
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

static const char fastest[] = CIPHERS_FASTEST;
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

/* What `ssh WORDS -G -- HOST` prints; `input`: its standard input, or -1. */
static bool ask(const char *const *ssh, const char *const *words, const char *host, int input,
                struct buf *out)
{
    const char *arguments[2 * WORDS_MAX];
    size_t count = 0;
    int ends[2], status = 0;
    for (; *ssh && count < WORDS_MAX; ssh++)
        arguments[count++] = *ssh;
    for (; *words && count < WORDS_MAX + 8; words++)
        arguments[count++] = *words;
    arguments[count++] = "-G";
    arguments[count++] = "--";
    arguments[count++] = host;
    arguments[count] = NULL;
    if (fds_pipe(ends, FDS_BLOCKING) != 0)
        return false;
    struct spawn spawn = {.arguments = arguments, .fds = {input, ends[1], -1}, .own_session = true};
    pid_t pid = spawn_start(&spawn, NULL);
    close(ends[1]);
    bool answered = pid > 0 && read_all(ends[0], out);
    close(ends[0]);
    if (pid > 0) {
        if (!answered)
            kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return answered && status == 0;
}

char *ciphers_find(const char *const *ssh, const char *host)
{
    AUTO(buf_dispose) struct buf output = BUF(OUTPUT_MAX);
    if (!computes_aes() || !ask(ssh, (const char *[]){NULL}, host, -1, &output))
        return NULL;
    return ciphers_order(buf_bytes(&output));
}

/* The configuration goes to ssh through an unnamed file, and the system's comes behind it as usual.
 */
static bool ask_with(const char *const *ssh, const char *host, const char *first,
                     struct bytes configuration, struct buf *out)
{
    static const char *const words[] = {"-F", "/dev/stdin", NULL};
    FILE *file = tmpfile();
    if (!file)
        return false;
    fprintf(file, "%s", first);
    fwrite(configuration.data, 1, configuration.size, file);
    fprintf(file, "\nHost *\nInclude /etc/ssh/ssh_config\n");
    bool whole = fflush(file) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0;
    bool answered = whole && ask(ssh, words, host, fileno(file), out);
    fclose(file);
    return answered;
}

bool ciphers_worth_a_line(const char *const *ssh, const char *host, struct bytes configuration)
{
    AUTO(buf_dispose) struct buf without = BUF(OUTPUT_MAX);
    AUTO(buf_dispose) struct buf with = BUF(OUTPUT_MAX);
    if (!computes_aes() || !ask_with(ssh, host, "", configuration, &without))
        return false;
    AUTO(mem_free) char *order = ciphers_order(buf_bytes(&without));
    return order && ask_with(ssh, host, CIPHERS_LINE "\n", configuration, &with) &&
           memmem(with.data, with.size, order, strlen(order));
}
