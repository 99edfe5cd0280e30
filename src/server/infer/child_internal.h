/* SPDX-License-Identifier: Apache-2.0 */
/* The process that runs models for us: started, watched, started again when it died. Threads may
 * share it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "infer/wire_internal.h"

struct child;
struct error;
struct run_control;
struct runtime_state;

/* Begins to start it. `program` NULL: vmad-infer beside this program or in ../libexec/vmad;
 * `library` as in runtime_open. */
MUST_USE struct child *child_new(const char *program, const char *library, struct error *err);
void child_free(struct child *child); /* nobody may use it */

/* The library's file and version; waits until the process has said them. */
MUST_USE bool child_hello(struct child *child, struct wire_hello *out, struct error *err);

/* Who runs something is inside. `alone`: with nobody else inside, so that when the process dies it
 * is known whose fault it was. ERROR_CANCELLED when `control`, which may be NULL, is cancelled
 * meanwhile: who is alone may take long. */
MUST_USE bool child_enter(struct child *child, bool alone, struct run_control *control,
                          struct error *err);
void child_leave(struct child *child);

/* A connection to the process for one question at a time, with memory that both see. */
struct lane {
    int socket, memory_fd, wake;
    uint8_t *memory;
    uint32_t number;
    uint64_t generation; /* of the process: counts its starts */
    uint64_t serial;     /* of the last run */
    size_t used;         /* bytes of memory that were written at most */
    struct lane *next;
};

/* To a process that lives; it is started if need be. NULL when it cannot be. */
MUST_USE struct lane *child_lane(struct child *child, struct error *err);
/* Back for the next question. */
void child_lane_return(struct child *child, struct lane *lane);
/* After anything went wrong on it. */
void child_lane_drop(struct lane *lane);

/* Asks the process to end the lane's run `serial`. From any thread; does not block. */
void child_stop(struct child *child, const struct lane *lane);
/* Ends the lane's process, if it is still there, because of what the lane runs. `why` is for the
 * log. */
void child_kill(struct child *child, const struct lane *lane, const char *why);
/* The lane's process was found dead, or useless. The signal that ended it, or 0; *out_bystander: it
 * was child_kill, because of another lane. */
int child_lost(struct child *child, const struct lane *lane, bool *out_bystander);

/* Of the process that is there now; 0: there is none. */
uint64_t child_generation(struct child *child);
void child_state(struct child *child, struct runtime_state *out);
/* Names a model within the process. */
uint32_t child_number(struct child *child);
