/* SPDX-License-Identifier: Apache-2.0 */
/* What a run that was killed may leave beside a file's final place: where that is on another disk
 * than the root, content is copied there before it gets its name (see bring_over in stage.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LEFTOVER_NAME_SIZE = 40 };
/* The name beside the final place of what has the name `staged` in the stage. */
const char *leftover_name(const char *staged, char out[LEFTOVER_NAME_SIZE]);
bool leftover_is(const char *name);
/* Marks the open file as being worked on, for as long as it is open. False when somebody was
 * faster and removes it. */
bool leftover_claim(int fd);
/* Removes it unless somebody is at work on it. */
void leftover_remove(int dir, const char *name);
