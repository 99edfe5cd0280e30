/* SPDX-License-Identifier: Apache-2.0 */
/* What is too old goes, by itself: files of the store and jobs that are over. A thread looks at
 * the start and then every quarter of an hour. */
#pragma once

#include "base/attributes.h"

struct error;
struct jobs;
struct retention;
struct store;

/* Both must outlive it. */
MUST_USE struct retention *retention_start(struct store *store, struct jobs *jobs,
                                           struct error *err);
void retention_stop(struct retention *retention);
