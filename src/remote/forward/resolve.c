/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/resolve.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"

static bool numeric(const char *text, uint16_t port, struct resolved *out)
{
    *out = (struct resolved){0};
    if (inet_pton(AF_INET, text, &out->as.v4.sin_addr) == 1) {
        out->as.v4.sin_family = AF_INET;
        out->as.v4.sin_port = htons(port);
        out->size = sizeof out->as.v4;
        return true;
    }
    *out = (struct resolved){0};
    if (inet_pton(AF_INET6, text, &out->as.v6.sin6_addr) == 1) {
        out->as.v6.sin6_family = AF_INET6;
        out->as.v6.sin6_port = htons(port);
        out->size = sizeof out->as.v6;
        return true;
    }
    return false;
}

/* The next word of a line; false at its end. */
static bool word(struct bytes *line, char *out, size_t room)
{
    while (line->size && isspace(line->data[0])) {
        line->data++;
        line->size--;
    }
    size_t length = 0;
    while (length < line->size && !isspace(line->data[length]) && line->data[length] != '#')
        length++;
    if (length == 0)
        return false;
    size_t kept = length < room ? length : room - 1;
    memcpy(out, line->data, kept);
    out[kept] = '\0';
    line->data += length;
    line->size -= length;
    return true;
}

size_t resolve_in_hosts(struct bytes text, const char *host, uint16_t port, struct resolved *out,
                        size_t count)
{
    size_t found = 0;
    struct bytes line;
    while (found < count && bytes_line(&text, &line)) {
        char address[64], name[256];
        if (!word(&line, address, sizeof address) || !numeric(address, port, &out[found]))
            continue;
        while (word(&line, name, sizeof name)) {
            if (strcasecmp(name, host) == 0) {
                found++;
                break;
            }
        }
    }
    return found;
}

/* "ADDRESS STREAM …" of one program, "ip_address: ADDRESS" of the other. */
static bool answer_line(struct bytes line, char address[64])
{
    char first[64], second[64];
    if (!word(&line, first, sizeof first) || !word(&line, second, sizeof second))
        return false;
    bool labelled = strcmp(first, "ip_address:") == 0 || strcmp(first, "ipv6_address:") == 0;
    memcpy(address, labelled ? second : first, sizeof first);
    return labelled || strcmp(second, "STREAM") == 0;
}

size_t resolve_in_answer(struct bytes text, uint16_t port, struct resolved *out, size_t count)
{
    size_t found = 0;
    struct bytes line;
    while (found < count && bytes_line(&text, &line)) {
        char address[64];
        if (answer_line(line, address) && numeric(address, port, &out[found]))
            found++;
    }
    return found;
}

size_t resolve(const char *host, uint16_t port, struct resolved *out, size_t count,
               struct error *err)
{
    size_t found = 0;
    bool loopback = strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0;
    if (loopback) { /* who says localhost may mean either */
        if (numeric("127.0.0.1", port, &out[found]))
            found++;
        if (found < count && numeric("::1", port, &out[found]))
            found++;
        return found;
    }
    if (numeric(host, port, out))
        return 1;
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    if (file_read("/etc/hosts", &text, NULL))
        found = resolve_in_hosts(buf_bytes(&text), host, port, out, count);
    if (found == 0)
        error_set(err, ERROR_NOT_FOUND,
                  "host %s is no address, not localhost and not in /etc/hosts", host);
    return found;
}
