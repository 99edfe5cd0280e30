/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors over a Unix socket, and the sockets for it. */
#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum { FDPASS_MAX = 4 };

/* One message with descriptors, which stay the sender's to close. Blocking. */
MUST_USE bool fdpass_send(int socket, struct bytes text, const int *fds, size_t count,
                          struct error *err);
/* Reads one message into `text` (of *inout_size bytes) with exactly `count` descriptors, which
 * are the caller's and close-on-exec. */
MUST_USE bool fdpass_receive(int socket, void *text, size_t *inout_size, int *out_fds, size_t count,
                             struct error *err);

/* A listening socket in the file system, mode 0600; a dead one of that name is replaced, a live
 * one is ERROR_CONFLICT. Paths longer than the system's limit are refused. */
MUST_USE int unix_listen(const char *path, struct error *err);
/* Removes a socket that nobody listens on any more, with the file that tells of it (or NULL): never
 * one that somebody is about to listen on. */
void unix_sweep(const char *path, const char *companion);
MUST_USE int unix_connect(const char *path, struct error *err);
/* Who is at the other end is this user, or root. */
bool unix_peer_is_us(int socket);
