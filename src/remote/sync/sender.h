/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a path and puts it into a draft: whole, as pieces of a large file, or as the name of a
 * file with the same content that the other side has. Private to the engine. */
#pragma once

#include "sync/engine_internal.h"

/* Brings the node up to date from the disk, decides, and sends if that is the decision. */
MUST_USE bool sender_add(struct sync *sync, uint32_t id, enum sync_lane lane, struct error *err);

/* The next piece of the large file in that place of sync->sending. */
MUST_USE bool sending_go_on(struct sync *sync, bool dense, struct error *err);
/* The file in that place, or TREE_NONE. */
uint32_t sending_node(const struct sync *sync, bool dense);
/* Gives up what is under way. */
void sending_drop(struct sync *sync);
/* Drops it if the rules of now ignore it. */
void sending_review(struct sync *sync);

/* What the other side has, by content. */
void copies_add(struct sync *sync, uint32_t id);
void copies_fill(struct sync *sync);
