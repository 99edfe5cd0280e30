/* SPDX-License-Identifier: Apache-2.0 */
/* New descriptors, all close-on-exec from their first moment on, or, where a system has no call
 * for that, from right behind it. They return like system calls: a negative value means that
 * errno is set. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { FDS_BLOCKING, FDS_NONBLOCKING };

int fds_pipe(int out[2], int mode);
/* Both ends of a Unix stream, blocking. */
int fds_pair(int out[2]);
int fds_socket(int family, int type, int protocol, int mode);
/* Whether the new socket blocks depends on `mode` alone, not on the listener's. */
int fds_accept(int listener, int mode);

/* The same terminal, pipe or device with flags of its own (non-blocking and close-on-exec), so that
 * the shell that has it too notices nothing; -1 where the system cannot. */
int fds_reopen(int fd, int how);

/* poll, with a limit of `wait_us` microseconds where the system is that fine; below 0 is none. */
int fds_poll(struct pollfd *fds, unsigned count, int64_t wait_us);
