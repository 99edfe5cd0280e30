/* SPDX-License-Identifier: Apache-2.0 */
/* Lets in, in the order in which they came, as many messages as may be drawn and encoded at once.
 * What an encoder looks ahead is most of a message's memory and grows with its frames, while two
 * cores are kept busy by one large message as well as by several: so sizes are what is counted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* One place in the line, or inside. Zero before its first use; must stay where it is until
 * gate_leave. */
struct gate_place {
    struct gate_place *next; /* all the gate's, under its lock */
    int64_t size;
    double left_s;
    bool queued, inside;
};

struct gate;
/* Lets in as much as `capacity` at once, or one of any size. */
MUST_USE struct gate *gate_new(int64_t capacity);
/* Nobody may be inside or in line. */
void gate_free(struct gate *gate);

/* Joins the line at the first call, then waits up to timeout_ms; true once inside. */
MUST_USE bool gate_enter(struct gate *gate, struct gate_place *place, int64_t size,
                         int64_t timeout_ms);
/* Those inside tell how much longer they will be; those in line tell how long they will take. */
void gate_tell(struct gate *gate, struct gate_place *place, double left_s);
/* From what was told: seconds until it is this one's turn. */
double gate_ahead_s(struct gate *gate, const struct gate_place *place);
/* Gives up the place, wherever it is; also one that was never taken. */
void gate_leave(struct gate *gate, struct gate_place *place);
