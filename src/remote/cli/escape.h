/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed into a program's terminal goes to the program, Ctrl-C too; these few keys are for
 * us, and are known from ssh: after Enter, or as the very first,
 *
 *     ~.  leave        ~?  say what there is        ~~  one tilde
 *
 * A tilde before anything else is nothing special. Holds a tilde back until the next byte is there;
 * otherwise keeps nothing, and does no I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For a terminal that takes lines as they are. */
#define ESCAPE_HELP_TEXT                                                                           \
    "After Enter:\r\n"                                                                             \
    "  ~.  leave, also while the host is away; the program there is hung up\r\n"                   \
    "  ~~  send one tilde\r\n"                                                                     \
    "  ~?  show this\r\n"

/* Zeroed at the start. */
struct escape {
    bool within_line, held;
};

enum escape_found { ESCAPE_NONE, ESCAPE_HELP, ESCAPE_LEAVE };

/* Writes what the program gets to `out`, with room for size + 1, and returns how much that is.
 * `typed` may lie in the same memory, at out + 1. What is typed after ~. is dropped. */
size_t escape_read(struct escape *escape, const uint8_t *typed, size_t size, uint8_t *out,
                   enum escape_found *out_found);
