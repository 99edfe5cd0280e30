/* SPDX-License-Identifier: Apache-2.0 */
/* The link to one host: starts the user's ssh (or, for "local:", the agent itself), installs the
 * agent where it is missing, and keeps one session alive over as many streams as it takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct link;
struct loop;
struct mux;

struct link_plan {
    const char *host;       /* as ssh takes it, or "local:" */
    const char *const *ssh; /* the command and its first arguments, ended by NULL: {"ssh", NULL} */
    const char *self;       /* this program's file */
    const char *agents;     /* a folder with agents for other machines, or NULL */
    const char *version;
    const char *ledger; /* the folder where sessions are written down, or NULL */
    int64_t keep_ms;
    unsigned long files; /* descriptors that ssh may have; 0: as many as we */
    bool may_ask;        /* there is a terminal on which ssh may ask for a password */
};

enum link_state {
    LINK_CONNECTING, /* the first time */
    LINK_INSTALLING, /* the agent is being sent */
    LINK_UP,
    LINK_WAITING, /* cut; trying again, see below */
};

struct link_status {
    enum link_state state;
    const char *why;    /* LINK_WAITING: why it was cut or the last try failed; "" */
    int64_t since_us;   /* on the loop's clock */
    unsigned tries;     /* since the cut */
    int64_t next_ms;    /* LINK_WAITING: until the next begins; 0: one is under way */
    size_t sent, total; /* LINK_INSTALLING: bytes */
    bool asking;        /* LINK_CONNECTING: the terminal is ssh's, for a password */
};

struct link_events {
    void (*changed)(void *context, const struct link_status *status);
    /* It never came up (bad name, no permission, no agent for that machine), or the session is
     * not there any more: make a new link to go on. The mux is useless now; free the link, but
     * not in here. */
    void (*failed)(void *context, const struct error *reason, bool session_lost);
};

MUST_USE struct link *link_new(struct loop *loop, const struct link_plan *plan,
                               const struct link_events *events, void *context, struct error *err);
/* Services may serve and open from the beginning; bytes wait until the link is up. */
struct mux *link_mux(struct link *link);
void link_look(const struct link *link, struct link_status *out);
/* Says goodbye, so that nothing stays on the other side, over a new connection if there is none;
 * `done` when it was answered or cannot be said. A second call does not wait any longer. */
void link_close(struct link *link, void (*done)(void *context), void *context);
/* After `done`: the other side heard it, or there was nothing to say. Otherwise it keeps the
 * session until the next link to it says so, or for the keep time. */
bool link_ended_well(const struct link *link);
void link_free(struct link *link);
