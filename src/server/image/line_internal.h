/* SPDX-License-Identifier: Apache-2.0 */
/* The line in front of a device: who is let in, who waits, who is sent away and until when. What
 * the scheduler decides, without its threads and its clock.
 *
 * When the line is full, of those who wait and who comes the one is sent away that had most lately
 * (shares.h): otherwise whoever was just served takes the place that became free, again and again,
 * and who was sent away once never gets one. Among equals it is who comes. Somebody who comes
 * before the time that he was told is sent away, full or not, unless nobody waits at all: so it
 * gains nothing. */
#pragma once

#include "image/scheduler.h"

struct shares;

struct line {
    struct scheduler_settings settings;
    struct shares *shares;
    struct ticket *waiting; /* in the order in which they will be let in */
    int inside, along, queued;
    size_t memory_inside;
    bool someone_alone;
    uint64_t numbers, served, refused, expired, left;
    double mean_s, busy_s;
};

void line_init(struct line *line, const struct scheduler_settings *settings);
void line_dispose(struct line *line);

enum line_answer { LINE_INSIDE, LINE_WAITS, LINE_FULL };
/* *out_displaced: who has to leave the line in its stead, marked so and with the time to come back;
 * or NULL. */
enum line_answer line_enter(struct line *line, struct ticket *ticket, int64_t now_ns,
                            struct ticket **out_displaced);
/* Out of the line, if it is in it. */
bool line_remove(struct line *line, struct ticket *ticket);
/* Lets in who can be: those, tied together by `next`; or NULL. */
struct ticket *line_admit(struct line *line, int64_t now_ns);
/* See scheduler_take_along. */
bool line_take_along(struct line *line, struct ticket *host, struct ticket *rider);
void line_leave(struct line *line, struct ticket *ticket, int64_t now_ns);

/* Until all will have been served that are here and that were told to come back, 1 to 60. */
int line_retry_after_s(const struct line *line, int64_t now_ms);
