/* SPDX-License-Identifier: Apache-2.0 */
/* What FSEvents of macOS reports, in fswatch's words. It tells paths, below one root, with flags
 * that add up over a while; fswatch tells folders by number, and what happened now. No system
 * calls in here: tests run anywhere. Not safe for several threads at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/* Apple's kFSEventStreamEventFlag… */
enum fsevents_flag {
    FSEVENTS_MUST_SCAN = 0x1,
    FSEVENTS_USER_DROPPED = 0x2,
    FSEVENTS_KERNEL_DROPPED = 0x4,
    FSEVENTS_IDS_WRAPPED = 0x8,
    FSEVENTS_HISTORY_DONE = 0x10,
    FSEVENTS_ROOT_CHANGED = 0x20,
    FSEVENTS_MOUNT = 0x40,
    FSEVENTS_UNMOUNT = 0x80,
    FSEVENTS_CREATED = 0x100,
    FSEVENTS_REMOVED = 0x200,
    FSEVENTS_RENAMED = 0x800,
    FSEVENTS_MODIFIED = 0x1000,
    FSEVENTS_IS_FOLDER = 0x20000,
};

/* What is at the path by now. */
enum fsevents_now { FSEVENTS_ABSENT, FSEVENTS_FOLDER, FSEVENTS_OTHER };

/* Of enum fswatch_what; FSWATCH_LOST when only a scan can tell, 0 for what does not matter. */
unsigned fsevents_meaning(uint32_t flags, enum fsevents_now now);

/* Folders by path, by token and by the number that they are bound to. */
struct fsevents_folders;
struct fsevents_folders *fsevents_folders_new(void);
void fsevents_folders_free(struct fsevents_folders *folders);

/* A token from 0 up, good until it is bound. */
MUST_USE int fsevents_claim(struct fsevents_folders *folders, const char *path);
/* Whoever had the number, or the path, before loses it. */
void fsevents_bind(struct fsevents_folders *folders, int token, uint32_t id);
void fsevents_drop(struct fsevents_folders *folders, uint32_t id);
bool fsevents_bound(const struct fsevents_folders *folders, uint32_t id);

/* The number of the bound folder that `path` is in, and its name there ("" for a bound folder that
 * is in none, the root); 0 when there is none. *out_name points into path. */
uint32_t fsevents_find(const struct fsevents_folders *folders, const char *path,
                       const char **out_name);
