/* SPDX-License-Identifier: Apache-2.0 */
/* Any table of connections: nothing is found in it, or an address of the family that was asked
 * for. */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "sys/connections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_storage address;
    for (int six = 0; six <= 1; six++)
        if (connection_in_table((struct bytes){data, size}, six, 4711, &address))
            assert(address.ss_family == (six ? AF_INET6 : AF_INET));
    return 0;
}
