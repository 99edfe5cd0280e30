/* SPDX-License-Identifier: Apache-2.0 */
/* What is not synced. Three sources, in falling rank:
 *
 *     the protect list   secrets and data that stay on their machine (.env, keys, storage)
 *     sync.ignore        patterns from vma.yaml or the command line
 *     .gitignore         in every folder, as git reads them
 *
 * Within a source the last matching pattern decides; an ignored folder's content is ignored
 * whatever the patterns below say. Patterns are gitignore's, all of it: comments, negation,
 * anchoring, folders only, **, classes, escapes and trailing blanks. Pure but for memory.
 *
 * The rules of folders form a chain from the inside out, so that a scan on several threads needs
 * no lock to match: a thread gets the chain of its folder and only adds to it. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;
struct ignore;
struct ignore_dir; /* one folder's rules, and those of the folders around it */

enum ignore_verdict { IGNORE_NOT, IGNORE_RULE, IGNORE_PROTECTED };

MUST_USE struct ignore *ignore_new(void);
void ignore_free(struct ignore *ignore);
static inline void ignore_free_auto(struct ignore **ignore)
{
    ignore_free(*ignore);
}

/* The built-in protect list, as text in the same format. */
extern const char ignore_default_protect[];

/* Replaces the protect list or sync.ignore. */
void ignore_set_protect(struct ignore *ignore, struct bytes text);
void ignore_set_config(struct ignore *ignore, struct bytes text);

/* Adds the .gitignore of the folder `path` ("" is the root), once a folder, outer folders first.
 * Any thread; the result lives as long as `ignore`. `outer` is the chain of the folder above, or
 * NULL. */
const struct ignore_dir *ignore_add(struct ignore *ignore, const struct ignore_dir *outer,
                                    const char *path, struct bytes text);
/* The folder's rules as they were added, or `outer` when it has none of its own. */
const struct ignore_dir *ignore_dir_at(struct ignore *ignore, const struct ignore_dir *outer,
                                       const char *path);

/* Whether `path`, whose parent folder is not ignored, is. `dir` is the chain of its folder. */
enum ignore_verdict ignore_match(const struct ignore *ignore, const struct ignore_dir *dir,
                                 const char *path, bool is_dir);
/* The same with all parents looked at. */
enum ignore_verdict ignore_match_path(struct ignore *ignore, const char *path, bool is_dir);

/* All rules as bytes, and back: what the laptop tells the other side. Decoding trusts nothing. */
MUST_USE bool ignore_encode(struct ignore *ignore, struct buf *out, struct error *err);
MUST_USE struct ignore *ignore_decode(struct bytes input, struct error *err);

/* gitignore's pattern against a path: "*" stops at slashes, "**" does not. */
bool ignore_wildmatch(const char *pattern, const char *text);
