/* SPDX-License-Identifier: Apache-2.0 */
/* ssh's ciphers in the order that is fastest here. Among those that the user's configuration
 * allows for the host, AES-GCM goes first where the processor computes AES itself: it carries
 * about a third more than ssh's own first choice. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

#define CIPHERS_FASTEST "aes128-gcm@openssh.com"
/* The same for ssh's configuration: in front of whatever ssh's own order is (OpenSSH 8.1). */
#define CIPHERS_LINE "Ciphers ^" CIPHERS_FASTEST

/* From what `ssh -G HOST` prints: the same ciphers, AES-GCM first; from malloc. NULL when there is
 * nothing to change: it has none, it comes first already, or the user's order is not ssh's own.
 * Pure. */
MUST_USE char *ciphers_order(struct bytes configuration);

/* Asks `ssh -G`, for a second at most. `ssh` is the command, ended by NULL. NULL as above. */
MUST_USE char *ciphers_find(const char *const *ssh, const char *host);
/* Whether CIPHERS_LINE is right for the host in front of `configuration`: there is something to
 * change, as above, and this ssh accepts the line. */
MUST_USE bool ciphers_worth_a_line(const char *const *ssh, const char *host,
                                   struct bytes configuration);
