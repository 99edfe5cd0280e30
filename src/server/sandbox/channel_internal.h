/* SPDX-License-Identifier: Apache-2.0 */
/* What the helper's two ends say to each other over a SOCK_SEQPACKET pair.
 *
 *     client → helper   struct ask and three descriptors: the file, the shared memory, the pipe
 *                       for the reply
 *     helper → client   struct started and, when it is zero, a pidfd of the worker; a request that
 *                       is too large is EINVAL and starts nothing
 *     worker → client   the reply, on the pipe */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum {
    REQUEST_SIZE = 64,    /* bytes at most */
    REPLY_SIZE = 512,     /* bytes at most; less than PIPE_BUF, so it arrives whole */
    OUT_OF_TIME_SIZE = 1, /* a reply so short says that the worker had no more processor time */
    CONTROL_FD = 3,       /* the helper's end of the pair */
    MAX_PASSED = 3,
};

struct ask {
    uint64_t shared_bytes, memory_bytes;
    uint32_t cpu_s, request_size;
    uint8_t request[REQUEST_SIZE];
};

struct started {
    int32_t os; /* errno of what went wrong, or 0 */
};

/* One message with `count` descriptors. False with errno set. */
MUST_USE bool channel_send(int socket, const void *message, size_t size, const int *fds, int count);
/* The message must be `size` bytes long. *count is room before, descriptors received after; they
 * are closed on exec. False with errno set; errno 0 means that the other end is gone. */
MUST_USE bool channel_receive(int socket, void *message, size_t size, int *fds, int *count);
