/* SPDX-License-Identifier: Apache-2.0 */
/* A picture's turn at the device. Where the model does better with several pictures in one run
 * (tuning.h), whoever gets in takes along those of the same size that wait behind it; nobody waits
 * for others to come. */
#pragma once

#include "image/loaded_internal.h"

struct cut;

struct turn {
    struct scheduler *scheduler;
    struct loaded *loaded;
    struct ticket ticket;
    struct run_control *control; /* or NULL */
};

/* Waits for the turn, and infers with `cutter`, which is one of the loaded model's. */
MUST_USE bool turn_infer(struct turn *turn, struct cutter *cutter, struct cut *cut,
                         struct error *err);
/* From another thread: ends the waiting or the inference. */
void turn_stop(struct turn *turn);
