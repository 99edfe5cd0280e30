/* SPDX-License-Identifier: Apache-2.0 */
/* A listening TCP socket. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct error;

/* -1 on failure; ERROR_CONFLICT when the port is taken. *out_port is the one that was bound. */
MUST_USE int listen_open(const char *host, int port, int *out_port, struct error *err);

/* Can this socket be reached from this machine only? */
bool listen_is_loopback(int fd);
