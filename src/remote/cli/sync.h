/* SPDX-License-Identifier: Apache-2.0 */
/* vma sync: what its parts share. A running sync has a socket and a small file that says what it
 * is for in the runtime folder; the other verbs ask it there, one line of JSON each way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/option.h"

struct cli;
struct error;
struct jv;
struct laptop;
struct loop;

struct sync_choices {
    const char *host, *mode, *keep, *remote;
    struct option_list ignore, protect;
    bool once, json, allow_mass_delete, protect_default, watch, quiet, paused;
};

/* Runs a sync of `source` with `dest` ("HOST:FOLDER") until it is interrupted, or once. */
MUST_USE bool sync_start(struct cli *cli, const struct sync_choices *choices, const char *source,
                         const char *dest, struct error *err);
/* status, flush, pause, resume, diff, conflicts, resolve: asks the running one. */
MUST_USE bool sync_verb(struct cli *cli, const struct sync_choices *choices, const char *verb,
                        struct operands operands, struct error *err);

/* --- The running one's ear ----------------------------------------------------------------- */

struct sync_ear;
struct sync_about {
    const char *source, *host, *dest, *mode, *state; /* state: the pair's own folder, for a name */
};
/* Refuses a sync of the same pair, or one nested in it, that runs already. */
MUST_USE struct sync_ear *sync_ear_new(struct cli *cli, struct loop *loop, struct laptop *laptop,
                                       const struct sync_about *about, struct error *err);
void sync_ear_free(struct sync_ear *ear);
MUST_USE bool sync_ear_check(struct cli *cli, const struct sync_about *about, struct error *err);

/* Every running sync that answers: `socket` to connect to, `about` as JSON. Borrowed. */
typedef void sync_seen(void *context, const char *socket, const struct jv *about);
void sync_each(struct cli *cli, sync_seen *seen, void *context);

/* A request of the ear, done on the engine's thread. */
struct sync_asked;
/* {"do": …} → an answer, as the ear gives it; `answer` borrows it. */
typedef void sync_answer(void *context, const struct jv *answer);
void sync_ask(struct laptop *laptop, const struct jv *question, sync_answer *answer, void *context);

/* The status of the sync of this pair, or NULL when none runs or it does not answer. */
MUST_USE struct jv *sync_state_of(struct cli *cli, const char *source, const char *host);

/* What a status says, in a few words: "in sync", "copying, 40 %", "waiting for HOST" … */
enum { SYNC_STATE_SIZE = 200 };
const char *sync_state_text(const struct jv *status, const char *host, char *out, size_t size);
/* Nothing is left to do, or nothing that can be done. */
bool sync_is_settled(const struct jv *status);
/* Says so, on standard error. */
void sync_say_settled(const struct jv *status, const char *dest);
/* Fails when something could not be done. */
MUST_USE bool sync_judge(const struct jv *status, struct error *err);
/* "{"phase": …}" as people read it, to standard output. */
void sync_print_status(const struct jv *about, const struct jv *status);
/* One line of progress from a status object, without a newline. */
void sync_progress_line(const struct jv *status, int64_t elapsed_ms, size_t room, char *out,
                        size_t size);
