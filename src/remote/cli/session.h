/* SPDX-License-Identifier: Apache-2.0 */
/* A session for a command: through the running `vma dev` of this project when there is one, so
 * that one link serves all, or over a link of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct cli;
struct error;
struct loop;
struct mux;
struct session;

struct session_plan {
    const char *host; /* NULL: the project's, or the running one's */
    bool quiet;       /* no progress on standard error */
    bool alone;       /* a link of its own in any case */
    int64_t keep_ms;  /* 0: the default */
};

struct session_events {
    /* The link is gone for good; *reason says why. Not called for short cuts. */
    void (*lost)(void *context, const struct error *reason);
    /* It is up, or away for a while. May be NULL. */
    void (*linked)(void *context, bool up);
    /* A line on the terminal said that it is away, and is taken away again now that it is back:
     * what was there is to be drawn anew. May be NULL. */
    void (*unsaid)(void *context);
};

MUST_USE struct session *session_open(struct cli *cli, struct loop *loop,
                                      const struct session_plan *plan,
                                      const struct session_events *events, void *context,
                                      struct error *err);
struct mux *session_mux(struct session *session);
/* The link is up; one that another vma holds is taken for it until that says otherwise. */
bool session_is_up(const struct session *session);
/* The remote folder that belongs to where we stand, or NULL: the home there. */
const char *session_folder(const struct session *session);
const char *session_host(const struct session *session);
/* How to end it while the host is away, to be said with that; from now on that is said also of a
 * link that another vma holds. Lives on. */
void session_hint(struct session *session, const char *hint);
/* Hangs up in an orderly way; `done` after at most a second. */
void session_close(struct session *session, void (*done)(void *context), void *context);
void session_free(struct session *session);
static inline void session_free_auto(struct session **session)
{
    session_free(*session);
}
