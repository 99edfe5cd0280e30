/* SPDX-License-Identifier: Apache-2.0 */
/* How far a sync is, on the terminal, until both sides are equal for the first time; then a line
 * that says so, and silence. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct cli;
struct laptop;
struct loop;
struct progress;

/* `dest` is borrowed. */
MUST_USE struct progress *progress_new(const struct cli *cli, struct loop *loop,
                                       struct laptop *laptop, const char *dest, bool quiet);
/* The two sides talk (again). */
void progress_begin(struct progress *progress);
/* While something else has the line. */
void progress_pause(struct progress *progress);
/* Before something is printed; the line comes back. NULL is fine. */
void progress_hide(struct progress *progress);
void progress_free(struct progress *progress);
