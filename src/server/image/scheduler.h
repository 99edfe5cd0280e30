/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use a device, and when. Callers prepare their input on their own threads before they
 * enter and use the result after they left: so decoding and refining overlap what the device does,
 * while the device itself serves a few at a time. Where the device is the processor there is
 * nothing to overlap, and all of the work is done inside (scheduler_do).
 *
 * A person who waits goes before a batch, and among equals the first come. What is let in at once
 * is bounded by the number of streams and by memory; the queue is bounded too, and who is sent away
 * when it is full, who had most lately, is told when to come back (line_internal.h). Threads share
 * a scheduler; its clock is the real one. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "image/shares.h"

struct error;
struct scheduler;

enum priority { PRIORITY_PERSON, PRIORITY_BATCH, PRIORITIES };

struct scheduler_settings {
    int streams;         /* at once; 0 means 1 */
    int queue;           /* waiting at most; 0 means 16 */
    size_t memory_bytes; /* all that are let in together may need; 0: no limit */
};

MUST_USE struct scheduler *scheduler_new(const struct scheduler_settings *settings);
void scheduler_free(struct scheduler *scheduler); /* nobody may be inside or waiting */

/* A place in the queue; lives as long as its owner waits or is inside. */
struct ticket {
    enum priority priority;
    int64_t deadline_ms;        /* mono_ms; 0: none */
    size_t memory_bytes;        /* measured for this model at this size */
    bool alone;                 /* wants nobody else inside: after memory ran out */
    struct image_client client; /* who is served, where many are */
    /* Filled in by the scheduler; what was cancelled stays so. */
    uint64_t number;
    struct ticket *next;
    bool inside, cancelled, displaced, taken_along;
    bool finished, done; /* of an errand: it was run, successfully */
    int retry_after_s;   /* of one that was sent away */
    int64_t entered_ns;
    pthread_cond_t *bell;        /* while it waits */
    const struct errand *errand; /* NULL: its owner works */
    int riders;
    size_t riders_bytes;
};

/* Waits for its turn. ERROR_UNAVAILABLE (image_busy, with the time to come back) when the queue is
 * full, ERROR_TIMEOUT when the deadline passes first, ERROR_CANCELLED after scheduler_cancel and
 * scheduler_take_along. A ticket that needs more memory than there is at all is let in when it is
 * alone. */
MUST_USE bool scheduler_enter(struct scheduler *scheduler, struct ticket *ticket,
                              struct error *err);
void scheduler_leave(struct scheduler *scheduler, struct ticket *ticket);

/* What is to be done inside; `run` may be called on any thread, once. */
struct errand {
    bool (*run)(void *context, struct error *err);
    void *context;
    struct error *err;
};

/* Enters, runs the errand and leaves. At once that is done by the caller; where it had to wait, by
 * a thread of the scheduler's that has just finished another's and goes on with this one, while the
 * caller sleeps until all is done: a processor that had to wait until somebody wakes up would do
 * nothing meanwhile, and one that has more threads than it can run forgets what it had at hand.
 * False: errors of scheduler_enter, or those of `run`. After scheduler_cancel, too, what is inside
 * is run to its end. */
MUST_USE bool scheduler_do(struct scheduler *scheduler, struct ticket *ticket,
                           const struct errand *errand);

/* Takes one that waits along with `host`, which is inside, until that leaves: it is counted, its
 * memory too, and its owner need not wait any more. False when it does not wait, or when there is
 * not the memory. */
MUST_USE bool scheduler_take_along(struct scheduler *scheduler, struct ticket *host,
                                   struct ticket *rider);

/* From another thread: takes a waiting ticket out of the queue at once. One that is inside is only
 * marked: its owner stops the inference itself (run_control_cancel). */
void scheduler_cancel(struct scheduler *scheduler, struct ticket *ticket);

/* A client's connection was closed. */
void scheduler_gone(struct scheduler *scheduler, struct image_client client);

struct scheduler_state {
    int inside, waiting;
    uint64_t served, refused, expired;
    double mean_s;     /* one stay inside, moving average */
    int retry_after_s; /* until all are served that wait or were sent away to come back; 1 to 60 */
    int streams, queue;
    double busy_s; /* all stays together */
};
struct scheduler_state scheduler_state(struct scheduler *scheduler);

/* After a measurement. */
void scheduler_set_streams(struct scheduler *scheduler, int streams);
