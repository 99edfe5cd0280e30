/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, each named after what it may be used for: mono_* for durations and deadlines, wall_*
 * for time stamps that people read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int64_t mono_ns(void);
int64_t mono_ms(void);
int64_t wall_ms(void); /* since 1970-01-01T00:00:00Z */

/* "2025-03-02T22:23:31.907Z" */
enum { CLOCK_TEXT_SIZE = 25 };
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_SIZE]);
