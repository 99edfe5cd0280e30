/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: pairs of them for programs we run, and the user's own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;

struct pty_size {
    uint16_t rows, columns;
};

/* Both ends, close-on-exec; the program gets *out_program. */
MUST_USE bool pty_open(struct pty_size size, int *out_ours, int *out_program, struct error *err);
void pty_resize(int fd, struct pty_size size);
/* False when `fd` is no terminal. */
bool pty_size_of(int fd, struct pty_size *out);

/* The user's terminal, so that every key comes through as it is; then as it was before. */
struct pty_saved;
struct pty_saved *pty_raw(int fd);
void pty_restore(struct pty_saved *saved);
