/* SPDX-License-Identifier: Apache-2.0 */
/* What this user has running on other machines: a small file for each session, locked for as long
 * as its client lives. A client that was killed, or that ended while the link was cut, leaves its
 * file; the next link to that host says the goodbye that was not said. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct jv;
struct ledger;

/* A new entry in `folder`; NULL when it cannot be made, which costs nothing but what is above. */
MUST_USE struct ledger *ledger_open(const char *folder, const char *session, const char *host);
/* `ended`: the session is over, or never began. */
void ledger_close(struct ledger *ledger, bool ended);

/* The sessions on `host` whose client is no more, as texts for a JSON array. They are held until
 * ledger_settle: nobody else says goodbye to them meanwhile. */
struct orphans;
MUST_USE struct orphans *ledger_orphans(const char *folder, const char *host, struct jv *out);
/* `told`: the host knows, so the entries go. Frees. */
void ledger_settle(struct orphans *orphans, bool told);
