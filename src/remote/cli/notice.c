/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/notice.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "cli/cli.h"
#include "sys/pty.h"

void notice_init(struct notice *notice, const struct cli *cli, bool quiet)
{
    *notice = (struct notice){.fd = 2, .terminal = !cli->dumb && isatty(2), .quiet = quiet};
}

static void put(const struct notice *notice, const char *text)
{
    bool written = fd_write_all(notice->fd, bytes_of(text), NULL);
    (void)written; /* whoever closed standard error does not want to know */
}

size_t notice_room(const struct notice *notice)
{
    struct pty_size size;
    bool known = pty_size_of(notice->fd, &size) && size.columns >= 20;
    return known ? size.columns - strlen("vma: ") - 1 : SIZE_MAX;
}

/* Cuts what the terminal's line does not hold: it would be broken there, and only its last part be
 * rewritten. Each character takes one column, or is the bar's. */
static void clip(size_t room, char *text)
{
    static const char ellipsis[] = "…";
    size_t used = 0, cut = 0; /* cut: where the last character that may stay begins */
    for (size_t i = 0; text[i]; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue;
        if (used == room - 1)
            cut = i;
        if (used++ == room) {
            snprintf(text + cut, sizeof ellipsis, "%s", ellipsis);
            return;
        }
    }
}

void notice_say(struct notice *notice, const char *format, ...)
{
    char text[sizeof notice->last];
    char line[sizeof text + 32];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text - 4, format, args); /* room for another end */
    va_end(args);
    if (notice->terminal)
        clip(notice_room(notice), text);
    if (length < 0 || notice->quiet || (notice->shown && strcmp(text, notice->last) == 0))
        return;
    memcpy(notice->last, text, sizeof text);
    if (notice->terminal)
        snprintf(line, sizeof line, "\r\x1b[K\x1b[2mvma: %s\x1b[0m", text);
    else
        snprintf(line, sizeof line, "vma: %s\n", text);
    put(notice, line);
    notice->shown = true;
}

void notice_clear(struct notice *notice)
{
    if (notice->shown && notice->terminal)
        put(notice, "\r\x1b[K");
    notice->shown = false;
}

void notice_interrupted(int number)
{
    if (number != SIGINT || !isatty(2))
        return;
    bool written = fd_write_all(2, bytes_of("\n"), NULL);
    (void)written;
}

void notice_leave(struct notice *notice)
{
    if (notice->shown && notice->terminal)
        put(notice, "\n");
    notice->shown = false;
}
