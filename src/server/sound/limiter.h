/* SPDX-License-Identifier: Apache-2.0 */
/* A look-ahead limiter: gain falls before a peak, not at it, and comes back slowly. Peaks between
 * samples count (four times oversampled). */
#pragma once

struct pcm;

/* Brings true peaks to `ceiling` (1 is full scale) or below, in place; what is lower everywhere
 * stays as it is. */
void limiter_apply(struct pcm *pcm, double ceiling);
