/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/connections.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"

enum { ESTABLISHED = 1, LINE_MAX_SIZE = 256 };

/* The next run of what is neither a space nor a colon. */
static const char *field(const char **at, size_t *out_length)
{
    *at += strspn(*at, " :");
    const char *begin = *at;
    *out_length = strcspn(begin, " :");
    *at += *out_length;
    return begin;
}

/* "0100007F" is 127.0.0.1: four bytes at a time, as they lie in memory, so nothing is turned. */
static bool address_parse(const char *text, size_t length, size_t words, uint8_t *out)
{
    if (length != 8 * words)
        return false;
    for (size_t i = 0; i < words; i++) {
        char digits[9] = {0};
        memcpy(digits, text + 8 * i, 8);
        char *end;
        uint32_t word = (uint32_t)strtoul(digits, &end, 16);
        if (*end)
            return false;
        memcpy(out + 4 * i, &word, 4);
    }
    return true;
}

/* number: address:port address:port state queue:queue timer:when retransmits user timeout inode */
enum { REMOTE = 3, REMOTE_PORT = 4, STATE = 5, INODE = 13 };

static bool line_parse(const char *line, bool six, unsigned long socket,
                       struct sockaddr_storage *out)
{
    const char *fields[INODE + 1];
    size_t lengths[INODE + 1];
    for (size_t i = 0; i <= INODE; i++)
        fields[i] = field(&line, &lengths[i]);
    if (lengths[INODE] == 0 || strtoul(fields[INODE], NULL, 10) != socket ||
        strtoul(fields[STATE], NULL, 16) != ESTABLISHED)
        return false;
    uint16_t port = htons((uint16_t)strtoul(fields[REMOTE_PORT], NULL, 16));
    memset(out, 0, sizeof *out);
    if (six) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = port;
        return address_parse(fields[REMOTE], lengths[REMOTE], 4, in6->sin6_addr.s6_addr);
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = port;
    return address_parse(fields[REMOTE], lengths[REMOTE], 1, (uint8_t *)&in->sin_addr);
}

bool connection_in_table(struct bytes table, bool six, unsigned long socket,
                         struct sockaddr_storage *out)
{
    struct bytes line;
    while (bytes_line(&table, &line)) {
        char text[LINE_MAX_SIZE];
        if (line.size >= sizeof text)
            continue;
        memcpy(text, line.data, line.size);
        text[line.size] = '\0';
        if (line_parse(text, six, socket, out))
            return true;
    }
    return false;
}
