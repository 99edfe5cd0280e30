/* SPDX-License-Identifier: Apache-2.0 */
/* A link with a voice: says on standard error what it is doing while it is not up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct cli;
struct error;
struct link_status;
struct linking;
struct loop;
struct mux;

struct linking_plan {
    const char *host;
    const char *const *ssh; /* ended by NULL; NULL: VMA_SSH, or "ssh" */
    int64_t keep_ms;
    bool quiet;
};

struct linking_events {
    void (*lost)(void *context, const struct error *reason, bool session_lost);
    void (*up)(void *context);                                        /* may be NULL */
    void (*changed)(void *context, const struct link_status *status); /* may be NULL */
    /* It is back, and the line that said it was away is off the terminal. May be NULL. */
    void (*unsaid)(void *context);
};

MUST_USE struct linking *linking_new(struct cli *cli, struct loop *loop,
                                     const struct linking_plan *plan,
                                     const struct linking_events *events, void *context,
                                     struct error *err);
struct mux *linking_mux(struct linking *linking);
void linking_look(const struct linking *linking, struct link_status *out);
/* Said whenever the host is away: how to end it. Borrowed. */
void linking_hint(struct linking *linking, const char *hint);
void linking_close(struct linking *linking, void (*done)(void *context), void *context);
void linking_free(struct linking *linking);
