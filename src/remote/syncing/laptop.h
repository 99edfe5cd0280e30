/* SPDX-License-Identifier: Apache-2.0 */
/* The laptop's side: one folder here kept in step with one folder there, over whatever session
 * there is at the time. */
#pragma once

#include "base/attributes.h"
#include "syncing/runner.h"

struct error;
struct laptop;
struct loop;
struct mux;

struct laptop_plan {
    const char *source; /* absolute, here */
    const char *dest;   /* as the other side takes it: absolute, "~/…", or relative to the home */
    const char *host;   /* names the other side, so that what is remembered is kept apart */
    const char *state;  /* the folder for what is remembered, or NULL */
    enum sync_mode mode;
    const char *ignore, *protect; /* as in struct sync_options */
    bool watch, paused, allow_mass_delete;
};

struct laptop_events {
    void (*event)(void *context, const struct sync_event *event);
    /* It cannot go on: free it, not in here. */
    void (*failed)(void *context, const struct error *reason);
};

MUST_USE struct laptop *laptop_new(struct loop *loop, const struct laptop_plan *plan,
                                   const struct laptop_events *events, void *context,
                                   struct error *err);
/* Before the mux is freed. */
void laptop_free(struct laptop *laptop);
static inline void laptop_free_auto(struct laptop **laptop)
{
    laptop_free(*laptop);
}
/* Opens the channels on this session; again with a new one after the old one was lost. */
void laptop_attach(struct laptop *laptop, struct mux *mux);
/* The session's link is up, or away: until the first word it is taken for up. */
void laptop_linked(struct laptop *laptop, bool up);
/* Lets go of the session's channels, before its mux is freed. */
void laptop_detach(struct laptop *laptop);
void laptop_ask(struct laptop *laptop, struct runner_request *request);
/* The folder of this pair's own memory, or NULL. */
const char *laptop_state(const struct laptop *laptop);
/* The same without a laptop, for finding a running one. From malloc. */
MUST_USE char *laptop_state_folder(const char *state, const char *source, const char *host,
                                   const char *dest);
