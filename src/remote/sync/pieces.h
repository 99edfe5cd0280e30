/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of pieces that are still missing: when nothing is to be done, the large files of which
 * both sides have the same are read on a thread of its own, so that the first change of each is as
 * small on the wire as later ones. Private to the engine. */
#pragma once

#include <stdint.h>

struct entry;
struct sync;

/* One more file may lack its list: both sides have `entry` now; NULL: any may. */
void pieces_look(struct sync *sync, const struct entry *entry);
/* Begins, looks after or ends that work; sets when to call again. */
void pieces_step(struct sync *sync, int64_t *next_us);
/* Ends it, at most a few milliseconds later. */
void pieces_stop(struct sync *sync);
