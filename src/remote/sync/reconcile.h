/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about one path, from what is here, what both had agreed on and what is there. Pure. */
#pragma once

#include "sync/entry.h"
#include "sync/message.h"

enum verdict {
    VERDICT_NONE,     /* leave it                                       */
    VERDICT_AGREE,    /* both have the same: remember that              */
    VERDICT_PUSH,     /* make the other side like this one              */
    VERDICT_PULL,     /* make this side like the other                  */
    VERDICT_CONFLICT, /* both changed: a person decides                 */
};

struct triple {
    struct entry local, base, remote;
};

enum verdict reconcile(enum sync_mode mode, const struct triple *triple);
