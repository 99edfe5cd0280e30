/* SPDX-License-Identifier: Apache-2.0 */
/* Sound as it passes between stages: one channel, float samples in -1..1. */
#pragma once

#include <stddef.h>

struct pcm {
    int rate_hz;
    size_t count;   /* samples */
    float *samples; /* from malloc; owned */
};

void pcm_dispose(struct pcm *pcm);
static inline void pcm_dispose_auto(struct pcm *pcm)
{
    pcm_dispose(pcm);
}
