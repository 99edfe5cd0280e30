/* SPDX-License-Identifier: Apache-2.0 */
/* Where nothing was measured of the model yet, a running service does so itself, once: for about a
 * second, when nobody has wanted anything for two. Whoever comes meanwhile waits for one tenth of
 * that at most. */
#pragma once

#include "image/loaded_internal.h"

struct self_tuning;

/* Sets the scheduler's streams when it is done, and keeps what it found in `path`. Everything is
 * borrowed, and used until the end. NULL for models that take too long for it. */
struct self_tuning *self_tuning_begin(struct loaded *loaded, struct scheduler *scheduler,
                                      const char *path, const char *visible_gpus);
void self_tuning_end(struct self_tuning *tuning);
