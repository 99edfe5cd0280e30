/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what is remembered of both sides can be believed.
 *
 * Nothing that is remembered is forced to the disk at once, so a power cut may take the last of it
 * with it. A path that was agreed on since and then became what it was before would look as if
 * the other side had changed it, or deleted it: its only copy would be lost. So a mark lies beside
 * the state while that may be behind, with the name of the machine's run in it. A start that
 * finds one of another run does not believe what both sides had of any path that differs from what
 * is remembered of this side: it is found out anew, and what differs then is kept or in
 * conflict. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct node;
struct sync;

/* After the state was read; `torn`: some of it is missing in any case. */
void doubt_load(struct sync *sync, bool torn);
/* This side changed since the state was written, or may have. */
void doubt_node(struct sync *sync, struct node *node);
/* All of this side was looked at. */
void doubt_looked(struct sync *sync);
/* Before anything is agreed on that is not remembered on the disk. */
void doubt_begin(struct sync *sync);
/* The state was written whole; or some of it could not be written. */
void doubt_saved(struct sync *sync);
void doubt_lost(struct sync *sync);
/* Nothing more is going to be agreed on, and all of it was written. */
void doubt_end(struct sync *sync);
