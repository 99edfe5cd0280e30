/* SPDX-License-Identifier: Apache-2.0 */
/* ssh's ciphers in the order that is fastest here. Among those that the user's configuration
 * allows for the host, AES-GCM goes first where the processor computes AES itself: it carries
 * about a third more than ssh's own first choice. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

/* From what `ssh -G HOST` prints: the same ciphers, AES-GCM first; from malloc. NULL when there is
 * nothing to change: it has none, it comes first already, or the user's order is not ssh's own.
 * Pure. */
MUST_USE char *ciphers_order(struct bytes configuration);

/* Asks `ssh -G`, for a second at most. `ssh` is the command, ended by NULL. NULL as above. */
MUST_USE char *ciphers_find(const char *const *ssh, const char *host);
