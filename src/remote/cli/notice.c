/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"

void notice_init(struct notice *notice, int fd, bool quiet)
{
    *notice = (struct notice){.fd = fd, .terminal = isatty(fd), .quiet = quiet};
}

static void put(const struct notice *notice, const char *text)
{
    bool written = fd_write_all(notice->fd, bytes_of(text), NULL);
    (void)written; /* whoever closed standard error does not want to know */
}

void notice_say(struct notice *notice, const char *format, ...)
{
    char text[sizeof notice->last];
    char line[sizeof text + 32];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || notice->quiet || (notice->shown && strcmp(text, notice->last) == 0))
        return;
    memcpy(notice->last, text, sizeof text);
    if (notice->terminal)
        snprintf(line, sizeof line, "\r\x1b[K\x1b[2mvma: %.200s\x1b[0m", text);
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

void notice_leave(struct notice *notice)
{
    if (notice->shown && notice->terminal)
        put(notice, "\n");
    notice->shown = false;
}
