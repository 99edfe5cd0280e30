/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read with a limit, written beside and renamed. Blocking. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

/* Appends the file's content to `out`, whose limit bounds it. */
MUST_USE bool file_read(const char *path, struct buf *out, struct error *err);

/* Replaces `path` in one step: a reader sees the old content or the new, also after a crash. */
MUST_USE bool file_write(const char *path, struct bytes data, struct error *err);

/* All of `data`, however often the system takes only a part. */
MUST_USE bool fd_write_all(int fd, struct bytes data, struct error *err);

/* Makes the folder and its parents, 0700 where they are new. */
MUST_USE bool dir_make(const char *path, struct error *err);

/* Where the absolute path leads: without links, as far as it exists, and without ".", ".." and
 * doubled slashes. */
MUST_USE char *path_resolve(const char *path);
/* Whether the path, by its words, lies in the folder, which is not in itself. */
bool path_is_within(const char *path, const char *folder);

/* Removes a file or a folder with all that is in it, never following a symbolic link. A path
 * that is not there is fine. */
MUST_USE bool tree_remove(const char *path, struct error *err);
