/* SPDX-License-Identifier: Apache-2.0 */
/* What is too old goes, by itself: files of the store and jobs that are over. A thread looks at
 * the start and then every quarter of an hour; and every other second, whether there is room on
 * the disk for another message. When there is none it makes room at once, as far as it may. */
#pragma once

#include "base/attributes.h"

struct error;
struct jobs;
struct retention;
struct store;

/* Called when it becomes known, and again when it changes: `full` is NULL, or what is wrong. */
typedef void retention_tell(void *context, const struct error *full);

/* All must outlive it. */
MUST_USE struct retention *retention_start(struct store *store, struct jobs *jobs,
                                           retention_tell *tell, void *context, struct error *err);
void retention_stop(struct retention *retention);
