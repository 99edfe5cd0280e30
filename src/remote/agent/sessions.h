/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of this user on this machine: each is a process with a socket. The service
 * "sessions" tells of them, and ends those that are named. Asking takes a millisecond each, and
 * half a second at most where somebody does not answer. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"

struct error;
struct jv;
struct mux;

enum { SESSION_DIGITS = 32 };

/* Serves "sessions" on the mux: request JSON {"end": [session …]} or {}; the answer is JSON
 * {"sessions": [what each tells of itself …]}. `folder` is borrowed, `own` is left out. */
struct sessions;
struct sessions *sessions_new(struct mux *mux, const char *folder, const char *own);
void sessions_free(struct sessions *sessions);
