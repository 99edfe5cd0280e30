/* SPDX-License-Identifier: Apache-2.0 */
/* One session's process: owns the mux and the services, takes streams from attach. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct agent_plan;
struct error;

/* Takes the listening socket; returns when the session is over. */
MUST_USE bool daemon_run(const struct agent_plan *plan, const char *socket_path, int *listener,
                         struct error *err);
