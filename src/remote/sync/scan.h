/* SPDX-License-Identifier: Apache-2.0 */
/* Lists a tree with all that stat tells, on several threads, folder by folder.
 *
 * Each folder is opened beneath the root without following links, claimed for watching before it
 * is listed, and reported on the calling thread, a folder always before those in it. What is
 * ignored is neither reported nor entered. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"

struct fswatch;
struct ignore;
struct ignore_dir;

enum scan_kind { SCAN_FILE = 1, SCAN_DIR, SCAN_LINK, SCAN_SPECIAL /* socket, FIFO, device */ };

struct scan_entry {
    uint32_t name; /* offset in names */
    uint8_t name_size, kind;
    uint16_t mode;
    uint64_t size, inode;
    int64_t mtime_ns, ctime_ns;
};

struct scan_dir {
    const char *path; /* "" is the root */
    int token;        /* of fswatch_claim, or -1 */
    bool failed;      /* it could not be listed: error says why, entries is empty */
    bool unwatched;   /* it could not be watched: error says why */
    bool left_out;    /* it has names whose paths are too long to be synced */
    struct error error;
    const struct scan_entry *entries;
    size_t count;
    const char *names;
    unsigned ignored, protected_names;
};

struct scan_options {
    int root;
    const char *start;     /* the folder to begin with, "" for all */
    struct ignore *ignore; /* gets the .gitignore files when learn is set */
    bool learn;
    bool recurse;
    struct fswatch *watch; /* NULL: do not watch */
    unsigned threads;      /* 1: all on the calling thread */
};

typedef void scan_got(void *context, const struct scan_dir *dir);

/* False only when the start folder itself cannot be opened. */
MUST_USE bool scan_run(const struct scan_options *options, scan_got *got, void *context,
                       struct error *err);
