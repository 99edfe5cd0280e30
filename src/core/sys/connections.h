/* SPDX-License-Identifier: Apache-2.0 */
/* Which address another program talks to. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/attributes.h"

struct bytes;
struct sockaddr_storage;

/* The other end of the TCP connection that process `pid` holds, or else a child of its. False when
 * there is none, or where the system does not tell. */
MUST_USE bool connection_of(pid_t pid, struct sockaddr_storage *out);

/* One of Linux's tables of TCP connections (/proc/net/tcp, with `six` /proc/net/tcp6): the other
 * end of the established one whose socket has this number. Pure; false when it is not there. */
MUST_USE bool connection_in_table(struct bytes table, bool six, unsigned long socket,
                                  struct sockaddr_storage *out);
