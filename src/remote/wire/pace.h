/* SPDX-License-Identifier: Apache-2.0 */
/* How much may be on the way. The link is measured as its acknowledgements come in: the least
 * round trip is the link without our own queue, the best delivery rate is its width. Bulk may
 * have their product on the way and a little more, so that the link is full and the line in front
 * of it is short. When nobody has been in a hurry for a while that line may be longer, so that the
 * link has something to do while the processors do something else. Pure: the time is a parameter.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACE_MARKS = 128, PACE_RATES = 10 };

struct pace {
    struct pace_mark {
        uint64_t number; /* when frames below this are acknowledged … */
        int64_t sent_us;
        uint64_t delivered; /* … this is what had been when it was sent */
        bool app_limited;   /* there was nothing to fill the link with */
    } marks[PACE_MARKS];
    unsigned first, count;
    uint64_t delivered;
    int64_t srtt_us, base_rtt_us, base_at_us;
    int64_t rates[PACE_RATES]; /* the best of each of the last periods, bytes/s */
    unsigned rate_at;
    int64_t period_end_us;
    int64_t low_rtt_us;   /* the least since that was last thought about */
    int64_t probe_end_us; /* until then no line stands there, to see the bare round trip */
    int64_t urgent_us;    /* when somebody was in a hurry; 0: never */
    bool starting;        /* the rate still grows from round to round */
    int64_t start_rate;
    unsigned flat_rounds;
    int64_t round_end_us;
};

/* For a new stream. */
void pace_init(struct pace *pace);
/* Frames below `number` are sent. `limited` says that bulk waited for its allowance. */
void pace_sent(struct pace *pace, uint64_t number, bool limited, int64_t now_us);
void pace_acked(struct pace *pace, uint64_t number, size_t bytes, int64_t delay_us, int64_t now_us);
/* A round trip measured otherwise. */
void pace_rtt(struct pace *pace, int64_t rtt_us, int64_t now_us);

/* Something is sent that somebody waits for. */
void pace_urgent(struct pace *pace, int64_t now_us);

int64_t pace_rate(const struct pace *pace);
/* Bytes that bulk may have on the way. */
size_t pace_window(const struct pace *pace, int64_t now_us);
/* The size of bulk's frames: about a millisecond of the link. */
size_t pace_frame(const struct pace *pace);
