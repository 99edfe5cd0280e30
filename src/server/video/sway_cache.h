/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of the last few steps of the head, drawn once for all frames that show it. Threads may
 * share one. */
#pragma once

#include "video/renderer.h"

struct sway_cache;

struct sway_cache *sway_cache_new(int width, int height);
void sway_cache_free(struct sway_cache *cache);

/* Draws the head at `step` into `out`. */
typedef void sway_draw(void *context, int step, struct frame420 *out);

/* Copies the frame of `step` to `out`, drawn by whoever asks for it first; others wait for that. */
void sway_cache_get(struct sway_cache *cache, int step, sway_draw *draw, void *context,
                    struct frame420 *out);
