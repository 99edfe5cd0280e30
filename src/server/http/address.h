/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end, as a number to compare and to count by. IPv4 addresses, also those that
 * are mapped into IPv6, are told apart; of IPv6 addresses their networks of 64 bits, since that is
 * the least that one customer has. Never 0. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_NONE UINT64_MAX

struct sockaddr;

/* ADDRESS_NONE for what is no internet address; it is not this machine's, and nobody else's. */
uint64_t address_number(const struct sockaddr *address);

/* The last one of an X-Forwarded-For field: what the proxy next to us saw. Those before it are what
 * the client wrote. False when that is no address. */
bool address_forwarded(const char *field, uint64_t *out);

/* Is that number one of this machine's own loopback addresses? */
bool address_is_loopback(uint64_t number);
