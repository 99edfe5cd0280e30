/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/progress_bar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"

enum { DRAW_EVERY_MS = 50, MAX_COLUMNS = 100, LABEL_COLUMNS = 18, TIME_COLUMNS = 11 };

struct progress_bar progress_bar_on(int fd)
{
    const char *terminal = getenv("TERM");
    bool usable = isatty(fd) && terminal && strcmp(terminal, "dumb") != 0;
    return (struct progress_bar){.fd = usable ? fd : -1};
}

static void time_left(int64_t eta_ms, char *out, size_t size)
{
    long long s = (long long)(eta_ms + 500) / 1000;
    if (eta_ms < 0)
        snprintf(out, size, "%s", "");
    else if (s < 60)
        snprintf(out, size, "%lld s left", s);
    else
        snprintf(out, size, "%lld:%02lld left", s / 60, s % 60);
}

void progress_bar_line(int columns, const char *label, double percent, int64_t eta_ms, char *out,
                       size_t size)
{
    char left[32];
    time_left(eta_ms, left, sizeof left);
    columns = columns > MAX_COLUMNS ? MAX_COLUMNS : columns;
    int room = columns - LABEL_COLUMNS - TIME_COLUMNS - 9;
    if (room < 5) {
        snprintf(out, size, "%3.0f %%  %.*s", percent, columns > 8 ? columns - 8 : 0, label);
        return;
    }
    /* Eighths of a column, so that the bar moves smoothly. */
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    int eighths = (int)(percent / 100 * room * 8 + .5);
    char bar[MAX_COLUMNS * 4] = "";
    size_t at = 0;
    for (int i = 0; i < room; i++, eighths -= 8) {
        const char *part = eighths >= 8 ? "█" : eighths > 0 ? parts[eighths] : " ";
        size_t length = strlen(part);
        memcpy(bar + at, part, length + 1);
        at += length;
    }
    snprintf(out, size, "%-*s▕%s▏ %3.0f %%  %-*s", LABEL_COLUMNS, label, bar, percent,
             TIME_COLUMNS - 2, left);
}

static int columns_of(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void write_text(const struct progress_bar *bar, const char *text)
{
    /* What cannot be drawn is no reason to stop. */
    bool drawn = fd_write_all(bar->fd, bytes_of(text), NULL);
    (void)drawn;
}

void progress_bar_show(struct progress_bar *bar, const char *label, double percent, int64_t eta_ms)
{
    int64_t now = mono_ms();
    if (bar->fd < 0 || (bar->shown && now - bar->drawn_mono_ms < DRAW_EVERY_MS))
        return;
    char line[MAX_COLUMNS * 6], text[sizeof line + 16];
    progress_bar_line(columns_of(bar->fd), label, percent, eta_ms, line, sizeof line);
    snprintf(text, sizeof text, "\r%s\033[K", line);
    write_text(bar, text);
    bar->shown = true;
    bar->drawn_mono_ms = now;
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (bar->shown)
        write_text(bar, "\r\033[K");
    bar->shown = false;
}
