/* SPDX-License-Identifier: Apache-2.0 */
/* Who had how much lately, so that under load those come first who had least. A client is a
 * connection; what those of one address had together is counted as well and compared first, so that
 * opening many connections takes nothing from others. Counts halve every few seconds: what somebody
 * had long ago is forgotten. A new connection takes over what a closed one of its address had (so
 * nobody gains by connecting again) or begins with what the address's others had on average.
 * As many clients are known as are bounded; who had least is forgotten first. Not for threads. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* Names, not the things themselves. All 0: nobody in particular, for whom nothing is counted. */
struct image_client {
    uint64_t address, connection; /* connection 0: the address is all that is known */
};

/* Seconds of the device, as far as they are remembered. */
struct share {
    double address_s, client_s;
};

struct shares;
MUST_USE struct shares *shares_new(void);
void shares_free(struct shares *shares);

void shares_charge(struct shares *shares, struct image_client client, double seconds,
                   int64_t now_ms);
struct share shares_of(struct shares *shares, struct image_client client, int64_t now_ms);
/* Its connection was closed. */
void shares_gone(struct shares *shares, struct image_client client);

/* It was told to come back at `until_ms`; 0: it has come. */
void shares_told(struct shares *shares, struct image_client client, int64_t until_ms,
                 int64_t now_ms);
/* How long that is still away; 0 when it is past or was never said. */
int64_t shares_early_ms(struct shares *shares, struct image_client client, int64_t now_ms);
/* How many were told to come back and have that still before them. */
int shares_expected(const struct shares *shares, int64_t now_ms);
