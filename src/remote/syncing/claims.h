/* SPDX-License-Identifier: Apache-2.0 */
/* Which folders are synced here: none twice, none within another.
 *
 * A folder may lie on a mount that does not answer, so it is looked at by the thread that is to
 * work on it, and nothing is held meanwhile: only what was found is compared under the lock. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct claim;
struct claims;
struct error;

MUST_USE struct claims *claims_new(void);
/* After all of its claims. */
void claims_free(struct claims *claims);

/* `root` is copied. It counts for nothing until it is made good. */
MUST_USE struct claim *claim_new(struct claims *claims, const char *root);
/* On any thread, may block: finds out where the folder really is. Fails with ERROR_CONFLICT when
 * another has it; one that ends is waited for. */
bool claim_make_good(struct claim *claim, struct error *err);
/* It ends: who wants the folder waits until it is freed, instead of being refused; a
 * claim_make_good of it that waits is over. */
void claim_end(struct claim *claim);
void claim_free(struct claim *claim);
