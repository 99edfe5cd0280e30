/* SPDX-License-Identifier: Apache-2.0 */
/* One try to get a stream to the agent: an ssh process and what is said on its streams until the
 * link begins. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

struct agents;
struct attempt;
struct error;
struct loop;
struct sockaddr_storage;

struct attempt_events {
    /* The stream is there: *fd is the caller's now. The process goes on until attempt_free. */
    void (*ready)(void *context, struct attempt *attempt, int *fd);
    /* The agent is being sent. */
    void (*progress)(void *context, struct attempt *attempt, size_t sent, size_t total);
    /* `gone`: the host was reached, the session is not there. ERROR_UNAVAILABLE may pass,
     * ERROR_DENIED and all others will not by themselves. */
    void (*failed)(void *context, struct attempt *attempt, const struct error *reason, bool gone);
};

struct attempt_plan {
    const char *const *arguments; /* the whole command */
    bool may_ask; /* it stays on our terminal, otherwise in a session of its own, where the
                     terminal's Ctrl-C does not reach it */
    const struct agents *agents; /* borrowed */
    bool local;                  /* not ssh, but the agent itself */
    const char *host;            /* borrowed, for messages */
    unsigned long files;         /* descriptors that it may have; 0: as many as we */
};
MUST_USE struct attempt *attempt_new(struct loop *loop, const struct attempt_plan *plan,
                                     const struct attempt_events *events, void *context,
                                     struct error *err);
/* The address that it talks to; false when that cannot be told. */
MUST_USE bool attempt_address(const struct attempt *attempt, struct sockaddr_storage *out);
/* Ends the process if it still runs. Not from inside of its own events. */
void attempt_free(struct attempt *attempt);
