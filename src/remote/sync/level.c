/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/level.h"

#include <stdbool.h>

enum {
    QUEUED_MUCH = 256 * 1024,  /* with that much waiting, the link is the limit          */
    QUEUED_LITTLE = 32 * 1024, /* with so little, it is not                              */
    FAST_BYTES_US = 30,        /* from here on ssh takes the processors' time, at both ends; */
    NEAR_US = 1200,            /* so near, a link that seems slow lacks processor time too   */
    FAST_LEVEL = 1,
};

/* Time for the same input, in percent of level 1. */
static const int cost[LEVEL_MAX + 1] = {0, 100, 130, 185, 220, 280, 385, 415, 525, 650};

/* The highest level that would still be well ahead of the link. */
static int affordable(int level, const struct level_sample *sample, uint64_t left)
{
    double link = (double)left / (double)sample->took_us;
    double packing = (double)sample->packed / (double)(sample->packing_us + 1);
    int best = 1;
    for (int next = 2; next <= LEVEL_MAX; next++)
        if (packing * cost[level] / cost[next] >= link * 1.8)
            best = next;
    bool near = sample->distance_us && sample->distance_us < NEAR_US;
    return (near || link > FAST_BYTES_US) && best > FAST_LEVEL ? FAST_LEVEL : best;
}

int level_next(int level, const struct level_sample *sample)
{
    uint64_t left = sample->packed + sample->queued_before;
    left = left > sample->queued ? left - sample->queued : 0;
    if (sample->took_us <= 0 || sample->packed == 0)
        return level;
    if (sample->queued >= QUEUED_MUCH)
        return affordable(level, sample, left);
    bool busy = sample->packing_us > sample->took_us / 2;
    if (sample->queued <= QUEUED_LITTLE && busy && level > 1)
        return level > 3 ? level - 2 : 1;
    return level;
}
