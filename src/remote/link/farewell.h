/* SPDX-License-Identifier: Apache-2.0 */
/* Goodbye in the name of those who could not say it: clients of this user and this host that were
 * killed, or that ended while their link was cut (link/ledger.h). */
#pragma once

#include "base/attributes.h"

struct farewell;
struct mux;

/* Tells the agent behind `mux` which sessions of `host` may go. `folder` is the ledger's; NULL
 * when there is nothing to tell. */
MUST_USE struct farewell *farewell_new(struct mux *mux, const char *folder, const char *host);
/* After the mux. */
void farewell_free(struct farewell *farewell);
