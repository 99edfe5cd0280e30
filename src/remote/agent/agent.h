/* SPDX-License-Identifier: Apache-2.0 */
/* The remote end. `attach` is what ssh runs: it finds (or makes) the session's daemon, hands it
 * its standard streams and stays for as long as they are used. The daemon outlives it: a cut only
 * takes away the streams, and the next attach brings new ones. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "sys/dirs.h"

struct error;
struct jv;
struct loop;
struct mux;

struct agent_plan {
    const char *session; /* 32 hexadecimal digits */
    bool fresh;          /* make it; otherwise it must be there */
    int64_t keep_ms;     /* how long it waits for a new stream */
    unsigned long files; /* descriptors that programs there may have; 0: as many as it */
    dirs_lookup *lookup;
    /* What serves beside exec and forwards, such as sync: called once the mux is there; what
     * it returns is freed with services_free before the mux is. May be NULL. */
    void *(*services)(struct loop *loop, struct mux *mux, dirs_lookup *lookup);
    void (*services_free)(void *services);
    /* What they hold, for people: texts for a JSON array. */
    void (*services_tell)(void *services, struct jv *out);
};

/* Says on standard output, before it becomes the link:
 *     VMA-READY new | VMA-READY resumed | VMA-GONE | VMA-ERROR text
 * and returns when the streams are done with. */
MUST_USE bool agent_attach(const struct agent_plan *plan, struct error *err);
