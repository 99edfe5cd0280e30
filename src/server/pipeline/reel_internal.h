/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of one message, made by the crew a little ahead of who takes them, in order. */
#pragma once

struct crew;
struct frame420;
struct renderer;

struct reel;
/* The renderer must outlive the reel. Work begins at once. */
struct reel *reel_new(struct crew *crew, struct renderer *renderer, int width, int height);
/* Drops what was not taken; waits for frames that are being made. */
void reel_free(struct reel *reel);
static inline void reel_free_auto(struct reel **reel)
{
    reel_free(*reel);
}
/* The next frame, awaited when it must be; borrowed until the next call. Not to be called more
 * often than there are frames. */
const struct frame420 *reel_next(struct reel *reel);
