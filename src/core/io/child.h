/* SPDX-License-Identifier: Apache-2.0 */
/* A program that runs beside the loop; its end is a callback. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct child;
struct error;
struct loop;
struct spawn;

/* `status` as from waitpid. Called once; the child may be freed in it. */
typedef void child_exited(void *context, int status);

MUST_USE struct child *child_start(struct loop *loop, const struct spawn *spawn,
                                   child_exited *exited, void *context, struct error *err);
bool child_running(const struct child *child);
/* 0 once it has ended. */
int child_pid(const struct child *child);
/* To the child, or to its whole process group if it was given one of its own. Nothing once it
 * has ended. */
void child_signal(struct child *child, int number);
/* Does not end the child, but nobody hears of its end any more. */
void child_free(struct child *child);
