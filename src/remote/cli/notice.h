/* SPDX-License-Identifier: Apache-2.0 */
/* One line on the terminal that says what is going on, rewritten in place and taken away when it
 * is over; on what is no terminal, one line per change. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct cli;

struct notice {
    int fd;
    bool terminal, shown, quiet;
    char last[256];
};

/* On standard error. */
void notice_init(struct notice *notice, const struct cli *cli, bool quiet);
/* The characters that a line holds; very many where there is no terminal. */
size_t notice_room(const struct notice *notice);
void notice_say(struct notice *notice, const char *format, ...) PRINTF_LIKE(2, 3);
/* Takes the line away; where there is no terminal, says `format` when something was said. */
void notice_clear(struct notice *notice);
/* Before the end after Ctrl-C, which the terminal shows as ^C: the prompt begins a line. */
void notice_interrupted(int number);
/* Lets it stand. */
void notice_leave(struct notice *notice);
