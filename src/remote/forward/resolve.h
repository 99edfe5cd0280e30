/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts' names, without the C library's resolver, which a static program cannot rely on:
 * numbers, localhost and /etc/hosts. For all others there is dial.h. */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

struct resolved {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } as;
    socklen_t size;
};

/* Up to `count` addresses, the likeliest first; 0 with *err. */
MUST_USE size_t resolve(const char *host, uint16_t port, struct resolved *out, size_t count,
                        struct error *err);

/* The same in what `getent ahosts`, or `dscacheutil -q host` of macOS, prints; pure. */
size_t resolve_in_answer(struct bytes text, uint16_t port, struct resolved *out, size_t count);

/* The same in the text of a hosts file; pure. */
size_t resolve_in_hosts(struct bytes text, const char *host, uint16_t port, struct resolved *out,
                        size_t count);
