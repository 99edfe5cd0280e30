/* SPDX-License-Identifier: Apache-2.0 */
/* An engine on a thread of its own, tied to two channels of the loop's session.
 *
 *     loop's thread:   channel data ─► inbox ═╗         ╔═ outbox ─► channel_write
 *     engine's thread:                        ╚► engine ╝  (also woken by file events)
 *
 * Everything here is called on the loop's thread. One lock guards the boxes; it is held for the
 * time of a copy only. */
#pragma once

#include "base/attributes.h"
#include "sync/engine.h"

struct channel;
struct error;
struct loop;
struct runner;

struct runner_events {
    /* What the engine tells but SYNC_EVENT_APPLIED, in order; borrowed for the call. May be NULL.
     */
    void (*event)(void *context, const struct sync_event *event);
    /* The engine cannot go on, or the other side broke the protocol. Free it; not in here. */
    void (*failed)(void *context, const struct error *reason);
    /* The channels are gone; attach new ones to go on. */
    void (*detached)(void *context, const struct error *reason);
    /* On the engine's thread, once and before anything else: may the engine work at all? It may
     * block as long as it likes. May be NULL. */
    bool (*prepare)(void *context, struct error *err);
    /* After runner_stop: the thread has ended, and runner_free does not wait. May be NULL. */
    void (*stopped)(void *context);
};

/* The strings in `options` are copied. */
MUST_USE struct runner *runner_new(struct loop *loop, const struct sync_options *options,
                                   const struct runner_events *events, void *context,
                                   struct error *err);
/* Begins to end it: the other side is told why, the thread ends as soon as it can (which may be
 * never, on a mount that does not answer), `stopped` follows. */
void runner_stop(struct runner *runner);
/* Stops the thread and waits for it: at most as long as the file it is working on. */
void runner_free(struct runner *runner);
static inline void runner_free_auto(struct runner **runner)
{
    runner_free(*runner);
}

/* Binds the channels of both lanes: the other side's engine is at their end. */
void runner_attach(struct runner *runner, struct channel *const lanes[LANE_COUNT]);

/* See sync_linked. */
void runner_linked(struct runner *runner, bool up);

/* Lets go of them; nothing is told. */
void runner_detach(struct runner *runner);

/* Work on the engine's thread, after its turns until it returns true; then `done` here. The
 * request is borrowed until then; when the runner is freed first, done is called with
 * `dropped`. */
struct runner_request {
    bool (*run)(struct runner_request *request, struct sync *sync);
    void (*done)(struct runner_request *request, bool dropped);
    struct runner_request *next; /* the runner's */
};
void runner_ask(struct runner *runner, struct runner_request *request);
