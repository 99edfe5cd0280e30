/* SPDX-License-Identifier: Apache-2.0 */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static uint64_t number_of_v4(struct in_addr address)
{
    return UINT64_C(1) << 32 | ntohl(address.s_addr);
}

static uint64_t number_of_v6(const struct in6_addr *address)
{
    uint64_t number = 0;
    struct in_addr mapped;
    memcpy(&mapped, address->s6_addr + 12, sizeof mapped);
    if (IN6_IS_ADDR_V4MAPPED(address))
        return number_of_v4(mapped);
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | address->s6_addr[i];
    return number ? number : 1;
}

uint64_t address_number(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return number_of_v4(v4.sin_addr);
    }
    if (address && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        return number_of_v6(&v6.sin6_addr);
    }
    return ADDRESS_NONE;
}

bool address_is_loopback(uint64_t number)
{
    const uint64_t v4 = UINT64_C(1) << 8 | IN_LOOPBACKNET; /* its first byte, behind the mark */
    return number == 1 || number >> 24 == v4;              /* 1: the network of ::1 */
}

bool address_forwarded(const char *field, uint64_t *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    const char *last = strrchr(field, ',');
    last = last ? last + 1 : field;
    last += strspn(last, " \t[");
    size_t size = strcspn(last, " \t]");
    if (size >= sizeof text)
        return false;
    memcpy(text, last, size);
    text[size] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        *out = number_of_v4(v4);
    else if (inet_pton(AF_INET6, text, &v6) == 1)
        *out = number_of_v6(&v6);
    else
        return false;
    return true;
}
