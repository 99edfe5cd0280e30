/* SPDX-License-Identifier: Apache-2.0 */
/* What fs.h promises where the system, or the file system, has no call for it. */
#pragma once

#include <sys/types.h>

/* fs_open_beneath, component by component. */
int fs_open_walking(int root, const char *path, int flags, mode_t mode);

/* fs_rename_new by a second name, or, where there are none (folders; exFAT, some network file
 * systems), by taking the name with something empty and moving over that. What somebody puts into
 * that empty file in between is lost; a folder is not replaced then. */
int fs_rename_new_in_steps(int from_dir, const char *from, int to_dir, const char *to);
/* The second of these ways alone. */
int fs_rename_new_by_taking(int from_dir, const char *from, int to_dir, const char *to);
