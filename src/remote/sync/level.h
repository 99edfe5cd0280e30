/* SPDX-License-Identifier: Apache-2.0 */
/* How hard to compress what goes over a link. A slow link is worth processor time, since fewer
 * bytes are the only way to be faster there; on a fast one the processors are the limit, those of
 * ssh and of the other side too. Pure arithmetic on what was measured. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEVEL_FIRST = 1,
    LEVEL_NEAR = -4, /* where the processors are the limit: zstd's fast levels */
    LEVEL_FAR = 5,   /* to begin with where the line, most likely, is slower    */
    LEVEL_MAX = 10,  /* more costs much and saves little, and takes more memory */
    /* With no more than that in front of the link it will soon have nothing to do. */
    LEVEL_QUEUED_LITTLE = 512 * 1024,
    /* With that much a while in which compressing takes longer than the link does no harm. */
    LEVEL_QUEUED_MUCH = 3 << 20,
};

/* What happened since one looked last. */
struct level_sample {
    int64_t took_us;
    int64_t packing_us; /* of it, spent in compressing */
    uint64_t raw, packed;
    size_t queued_before, queued; /* compressed bytes in front of the link, then and now */
    int64_t distance_us;          /* there and back; 0: unknown */
};

/* So near that a link which seems slow lacks processor time, as we do. 0: unknown. */
bool level_is_near(int64_t distance_us);
/* On a near link the bytes go as they are, unless it is slower than they are compressed. `left` of
 * them have left so in this copy; before some have, the rate tells nothing. */
bool level_is_narrow(int64_t rate_bytes_s, uint64_t left);
/* The level to go on with; the present one when there is nothing to be gained. */
int level_next(int level, const struct level_sample *sample);
