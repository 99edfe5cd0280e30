/* SPDX-License-Identifier: Apache-2.0 */
/* Tidies up once after work, when things have been quiet for a while: memory that is kept for the
 * next picture is no use to a process that has none. It has a thread of its own, which sleeps, and
 * wakes for nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct tidy;

/* `action` runs on that thread, `quiet_ms` after the last tidy_worked; and after as long again
 * while it says that there is more to do. */
struct tidy *tidy_new(int64_t quiet_ms, bool (*action)(void *context), void *context);
void tidy_free(struct tidy *tidy);

/* There was work. From any thread; cheap. */
void tidy_worked(struct tidy *tidy);
