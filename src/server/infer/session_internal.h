/* SPDX-License-Identifier: Apache-2.0 */
/* A session runs in this process (session.c) or in a child (apart.c). */
#pragma once

#include "infer/runtime_internal.h"

enum { MAX_PORTS = 16 };

struct apart;
struct kept;
struct pinned;

struct session {
    struct runtime *runtime;
    struct tensor_info inputs[MAX_PORTS], outputs[MAX_PORTS];
    int input_count, output_count;
    char device[16];
    char *fallback;
    struct apart *apart; /* NULL: it is here, and this is it: */
    struct kept *kept;   /* what it made as the first of two */
    OrtSession *session;
    OrtMemoryInfo *memory;
    struct pinned *pinned; /* NULL: not on a card, or there is no such memory */
    char arena[16];        /* "gpu:0": for what holds on to memory; "" when nothing does */
};

/* On a runtime that is apart: fills in session->apart and what the model says of itself. */
MUST_USE bool apart_open(struct session *session, const char *path,
                         const struct session_options *options, struct error *err);
void apart_close(struct apart *apart);
/* A child that dies is started again and the run repeated, by itself; when the child dies of it
 * then, too, the run is refused (ERROR_INVALID, inference_died). */
MUST_USE bool apart_run(struct session *session, const struct session_run *run, struct error *err);
