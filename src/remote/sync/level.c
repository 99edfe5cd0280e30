/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/level.h"

enum {
    MARGIN_PERCENT = 130, /* a higher level's: what comes may take longer                  */
    NEAR_US = 1200,
    NEAR_LEVEL = 1,
    WIDE_BYTES_S = 320 * 1000 * 1000, /* more than 2.5 Gbit/s: the machine itself, or as good */
    WIDE_TRY = 3 << 20,
};

/* Time for the same input, in percent of level 1. */
static const int cost[LEVEL_MAX + 1] = {0, 100, 130, 185, 220, 280, 385, 415, 490, 600, 740};

/* The highest level that would still be ahead of the link; the present one as long as it is. */
static int affordable(int level, const struct level_sample *sample, uint64_t left)
{
    double link_us = (double)sample->packed * (double)sample->took_us / (double)left;
    bool ahead = (double)sample->packing_us <= link_us || sample->queued >= LEVEL_QUEUED_MUCH;
    int best = ahead ? level : 1;
    for (int next = best + 1; next <= LEVEL_MAX; next++) {
        double packing_us = (double)sample->packing_us * cost[next] / cost[level];
        if (packing_us * MARGIN_PERCENT <= link_us * 100)
            best = next;
    }
    return best;
}

bool level_is_near(int64_t distance_us)
{
    return distance_us > 0 && distance_us < NEAR_US;
}

bool level_is_narrow(int64_t rate_bytes_s, uint64_t left)
{
    return left >= WIDE_TRY && rate_bytes_s < WIDE_BYTES_S;
}

int level_next(int level, const struct level_sample *sample)
{
    uint64_t left = sample->packed + sample->queued_before;
    left = left > sample->queued ? left - sample->queued : 0;
    if (sample->took_us <= 0 || sample->packed == 0)
        return level;
    if (level_is_near(sample->distance_us))
        return level < NEAR_LEVEL ? level : NEAR_LEVEL;
    if (sample->queued > LEVEL_QUEUED_LITTLE)
        return left ? affordable(level, sample, left) : LEVEL_MAX;
    bool busy = sample->packing_us > sample->took_us / 2;
    return !busy || level == 1 ? level : level > 3 ? level - 2 : 1;
}
