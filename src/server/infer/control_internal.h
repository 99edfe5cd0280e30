/* SPDX-License-Identifier: Apache-2.0 */
/* The running side of a run_control. */
#pragma once

#include "infer/runtime.h"

/* Asks what runs to end; called from another thread, at most once in a run, and never after
 * run_control_end. Must not block. */
typedef void run_stop(void *context);

/* ERROR_CANCELLED when it was cancelled before. A NULL control is always fine. */
MUST_USE bool run_control_begin(struct run_control *control, run_stop *stop, void *context,
                                struct error *err);
void run_control_end(struct run_control *control);
