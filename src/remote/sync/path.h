/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as they travel: relative, components divided by single slashes, any bytes but NUL. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum { PATH_MAX_SIZE = 4095, PATH_MAX_NAME = 255, PATH_MAX_DEPTH = 512 };

/* Refuses what is empty, absolute, too long or deep, has an empty component, "." or "..", a NUL,
 * or our own stage as its first component. */
MUST_USE bool path_check(struct bytes path, struct error *err);

/* For people and logs: control characters and what is not UTF-8 as \xNN, quoted when it would
 * be ambiguous. Always ends with NUL; cut with "…" where it does not fit. */
enum { PATH_TEXT_SIZE = 200 };
const char *path_text(const char *path, char out[PATH_TEXT_SIZE]);

/* The name under which systems that fold case or composition would keep this one: for finding
 * names that clash there. Returns a hash; 0 for names without letters that fold. */
uint64_t path_fold_hash(struct bytes name);
/* False for most names whose hashes differ, at a fraction of the cost. */
bool path_may_clash(struct bytes a, struct bytes b);
