/* SPDX-License-Identifier: Apache-2.0 */
/* The ear of a process that holds a link: other vma commands come in through a Unix socket and use
 * it. What they open is handed on to the other side, but for what the process itself answers. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct cli;
struct error;
struct forward_client;
struct hub_ear;
struct jv;
struct loop;
struct mux;

struct hub_ear_plan {
    const char *host, *root, *remote;
};

struct hub_ear_events {
    struct jv *(*status)(void *context); /* given away */
    void (*stop)(void *context);
};

MUST_USE struct hub_ear *hub_ear_new(struct cli *cli, struct loop *loop,
                                     const struct hub_ear_plan *plan,
                                     const struct hub_ear_events *events, void *context,
                                     struct error *err);
/* The session that commands are to use from now on, and its forwards; NULL hangs up on all. Call
 * with NULL before they are freed. */
void hub_ear_use(struct hub_ear *ear, struct mux *mux, struct forward_client *forwards);
/* Commands that came in are told that the link is up, or away, … */
void hub_ear_linked(struct hub_ear *ear, bool up);
/* … or that the session is over, and why. They are hung up on by the next hub_ear_use. */
void hub_ear_lost(struct hub_ear *ear, const char *why);
void hub_ear_free(struct hub_ear *ear);
