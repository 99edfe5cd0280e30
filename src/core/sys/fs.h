/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system calls in which systems differ. They return like system calls: a negative
 * value means that errno is set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Opens `path`, which is relative, beneath the folder `root`. No component may be a symbolic link
 * or lead out of the folder, however the tree changes meanwhile. "" is the folder itself. */
int fs_open_beneath(int root, const char *path, int flags, mode_t mode);

/* Moves without replacing: EEXIST when the new name is taken. */
int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to);

/* Exchanges two names in one step. EINVAL or ENOSYS where the file system cannot. */
int fs_rename_exchange(int from_dir, const char *from, int to_dir, const char *to);

/* Makes `to` share the blocks of `from`; fails where the file system cannot. */
int fs_clone(int from, int to);

/* Begins to write to the disk what was written to the file, and does not wait for it. File systems
 * that order data before the names that show it (ext4, btrfs) then have both or neither after a
 * power cut. */
void fs_write_soon(int fd);

/* Sets permissions without ever following a link. */
int fs_chmod(int dir, const char *name, mode_t mode);

/* The change times of a stat, in nanoseconds. */
int64_t fs_mtime_ns(const struct stat *stat);
int64_t fs_ctime_ns(const struct stat *stat);
