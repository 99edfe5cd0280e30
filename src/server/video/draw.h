/* SPDX-License-Identifier: Apache-2.0 */
/* One tile of one frame. */
#pragma once

struct frame420;
struct moment;
struct tile;

/* Draws over `out`, which holds the base, whatever differs from it. */
void draw_tile(const struct moment *moment, const struct tile *tile, struct frame420 *out);
