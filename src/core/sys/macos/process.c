/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "sys/connections.h"

bool connection_of(pid_t pid, struct sockaddr_storage *out)
{
    (void)pid;
    (void)out;
    return false;
}
