/* SPDX-License-Identifier: Apache-2.0 */
/* One question at a time to a service on the other side of a session, and its whole answer. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buf.h"

struct error;
struct loop;
struct mux;

struct asking {
    struct loop *loop;
    struct buf answer; /* as large as its owner allows */
    struct error *err; /* why there is none */
    bool answered, failed;
};

/* Opens the service with the question and runs the loop until all of the answer is there; what was
 * answered before is gone. */
MUST_USE bool asking_put(struct asking *asking, struct mux *mux, const char *service,
                         struct bytes question);

/* There will be no answer, not to later questions either: for whoever carries the session. Once
 * there is one the reason is of no interest. */
void asking_fail(struct asking *asking, const struct error *reason);
