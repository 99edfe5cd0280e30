/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Gives back to the system what was freed, after work that took much for a short time. */
void memory_trim(void);
/* The same, if more than `bytes` are free: what is needed again soon had better stay. */
void memory_trim_above(size_t bytes);

/* From now on these pages may be large ones; a wish, nothing more. */
void memory_in_large_pages(void *start, size_t bytes);

/* From now on what was freed goes back soon, and threads do not hoard a heap each: for a process
 * whose work is not limited by memory coming and going. To be called before any thread is made. */
void memory_keep_little(void);

/* Lets go of the pages of the program and its libraries that are as they are in their files: code
 * and constants. They stay in the system's cache; what is used again comes back by page faults,
 * which costs the next work 1 to 3 ms in all. From any thread, at any time. For a process that has
 * nothing to do. */
void memory_let_go_of_code(void);
