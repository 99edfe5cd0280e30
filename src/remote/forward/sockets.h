/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets for places: the operating system's part of forwarding. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "forward/forward.h"

struct error;
struct resolved;

/* Non-blocking, listening; *out_port is the port it has. -1 with *err: ERROR_CONFLICT when the
 * port is taken. A dead Unix socket of that name is replaced. */
MUST_USE int sockets_listen(const struct forward_place *place, uint16_t *out_port,
                            struct error *err);
/* To the first of the place's addresses that does not fail at once (a socket's path has none).
 * Non-blocking; *out_connecting says that the result is not known yet. */
MUST_USE int sockets_connect_any(const struct resolved *addresses, size_t count,
                                 const struct forward_place *place, bool *out_connecting,
                                 struct error *err);
/* The next connection, non-blocking and without Nagle's delay; -1 when there is none now. */
MUST_USE int sockets_accept(int listener);
