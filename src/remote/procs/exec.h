/* SPDX-License-Identifier: Apache-2.0 */
/* Programs on the other side. Three channels make one run, tied by a token that the asking side
 * chooses, so that a stream nobody reads holds up nothing else:
 *
 *     "exec"      request: JSON {token, argv, folder, env, tty: {term, rows, columns}}
 *                 messages there: size (rows u16, columns u16), signal (name), deaf (stream
 *                                 u8, 1 stdout, 2 stderr: nobody reads it any more)
 *                 messages back:  started, exited (how u8, code u8), failed is a reset
 *     "exec.io"   request: token; the program's stdin there, its stdout back
 *     "exec.err"  request: token; its stderr back; not with a terminal
 *
 * docs/protocol.md specifies it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct jv;
struct loop;
struct mux;

/* --- the side that runs ------------------------------------------------------------------- */

struct exec_server;
/* `folder` is where programs start that do not say; borrowed. They may have `files` descriptors
 * each; 0: as many as we. */
struct exec_server *exec_server_new(struct loop *loop, struct mux *mux, const char *folder,
                                    unsigned long files);
/* Ends every program: politely, then surely; calls `done` when the last is gone. */
void exec_server_stop(struct exec_server *server, void (*done)(void *context), void *context);
void exec_server_free(struct exec_server *server);
/* The programs that run, as texts for a JSON array. */
void exec_server_tell(const struct exec_server *server, struct jv *out);

/* --- the side that asks ------------------------------------------------------------------- */

struct exec_plan {
    const char *const *arguments; /* ended by NULL; none: the user's login shell */
    const char *folder;           /* NULL: the agent's own; "~/…" is the home's  */
    const char *const *environment;
    bool terminal;
    const char *term; /* $TERM, with a terminal */
    uint16_t rows, columns;
    int in_fd, out_fd, err_fd; /* taken; err_fd is not used with a terminal. What is typed on one
                                * is not read before the program runs: ssh may have a question */
    void (*started)(void *context); /* the program runs; may be NULL */
    /* What is read passes through it, as struct bridge_plan has it; may be NULL. Must not end the
     * program. */
    size_t (*filter)(void *context, const uint8_t *in, size_t size, uint8_t *out);
};

struct exec_result {
    bool signalled;
    int code; /* of exit, or the signal's number */
    int lost; /* errno value when its output could not be written here, else 0 */
};

/* `reason` is NULL when the program ran; then *result says how it ended. */
typedef void exec_done(void *context, const struct exec_result *result, const struct error *reason);

struct exec;
struct exec *exec_start(struct loop *loop, struct mux *mux, const struct exec_plan *plan,
                        exec_done *done, void *context);
void exec_resize(struct exec *exec, uint16_t rows, uint16_t columns);
/* By number here; travels by name. */
void exec_signal(struct exec *exec, int number);
void exec_free(struct exec *exec);
