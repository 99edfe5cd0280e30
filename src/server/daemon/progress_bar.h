/* SPDX-License-Identifier: Apache-2.0 */
/* A line on a terminal that is drawn over and over; silent where there is no terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_bar {
    int fd;
    bool shown;            /* the terminal has a line of ours now */
    int64_t drawn_mono_ms; /* when it was last drawn */
};

/* Draws nothing, ever, unless `fd` is a terminal. */
struct progress_bar progress_bar_on(int fd);
/* At most about twenty times a second; `label` is one short phrase. */
void progress_bar_show(struct progress_bar *bar, const char *label, double percent, int64_t eta_ms);
/* Takes the line away. */
void progress_bar_clear(struct progress_bar *bar);

/* The line for a terminal of `columns`, without control characters. Pure. */
void progress_bar_line(int columns, const char *label, double percent, int64_t eta_ms, char *out,
                       size_t size);
