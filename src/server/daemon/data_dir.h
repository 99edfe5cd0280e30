/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory: made, and held by one process at a time. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct error;

struct data_dir {
    char *root, *spool, *store, *jobs_db, *state, *models, *tuning;
    int lock_fd;
};

/* ERROR_CONFLICT when another vmad uses it, with its process id. Uploads that an earlier process
 * left in the spool are removed. */
MUST_USE bool data_dir_open(struct data_dir *dir, const char *root, struct error *err);
void data_dir_close(struct data_dir *dir);
