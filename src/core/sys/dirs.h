/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user's programs keep what. Made on demand with mode 0700; refused when somebody else
 * could enter. */
#pragma once

#include "base/attributes.h"

struct error;

/* getenv in main.c. */
typedef char *dirs_lookup(const char *name);

/* Below, "NAME" is the program's. Paths are from malloc; NULL with *err.
 *   runtime  $XDG_RUNTIME_DIR/NAME, else the cache's folder "run": sockets
 *   lasting  the cache's folder "run" (where that is too long for a socket's path, /tmp/NAME-USER):
 *            sockets of what goes on after the user has logged out, which may take
 *            $XDG_RUNTIME_DIR away
 *   cache    $XDG_CACHE_HOME/NAME, else ~/.cache/NAME
 *   state    $XDG_STATE_HOME/NAME, else ~/.local/state/NAME */
MUST_USE char *dirs_runtime(const char *name, dirs_lookup *lookup, struct error *err);
MUST_USE char *dirs_lasting(const char *name, dirs_lookup *lookup, struct error *err);
MUST_USE char *dirs_cache(const char *name, dirs_lookup *lookup, struct error *err);
MUST_USE char *dirs_state(const char *name, dirs_lookup *lookup, struct error *err);
/* $HOME, or the working folder when there is none. */
MUST_USE char *dirs_home(dirs_lookup *lookup);
