/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "forward/forward.h"

static bool port_parse(const char *text, size_t length, uint16_t *out)
{
    char digits[6];
    int64_t port;
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (!text_int(digits, 0, 65535, &port))
        return false;
    *out = (uint16_t)port;
    return true;
}

static bool parse(const char *text, size_t length, struct forward_place *out, struct error *err)
{
    const char *end = text + length;
    *out = (struct forward_place){.host = "127.0.0.1"};
    if (length > FORWARD_HOST_MAX)
        return error_set(err, ERROR_LIMIT, "address of %zu bytes, at most %d", length,
                         FORWARD_HOST_MAX);
    if (memchr(text, '/', length)) {
        out->is_path = true;
        memcpy(out->host, text, length);
        out->host[length] = '\0';
        return true;
    }
    if (port_parse(text, length, &out->port))
        return true;
    const char *colon = (const char *)text_last((struct bytes){(const uint8_t *)text, length}, ':');
    if (!colon || !port_parse(colon + 1, (size_t)(end - colon - 1), &out->port))
        return error_set(err, ERROR_INVALID,
                         "\"%.*s\" is no address: PORT, HOST:PORT, [IPV6]:PORT or a path with /",
                         (int)length, text);
    size_t host = (size_t)(colon - text);
    bool bracketed = host >= 2 && text[0] == '[' && colon[-1] == ']';
    if (bracketed) {
        text++;
        host -= 2;
    }
    if (host == 0 || (!bracketed && memchr(text, ':', host)))
        return error_set(err, ERROR_INVALID, "\"%.*s\" has no host before the port", (int)length,
                         text);
    for (size_t i = 0; i < host; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '[' || text[i] == ']')
            return error_set(err, ERROR_INVALID, "a host's name with byte 0x%02x",
                             (unsigned char)text[i]);
    memcpy(out->host, text, host);
    out->host[host] = '\0';
    if (strcmp(out->host, "*") == 0)
        memcpy(out->host, "0.0.0.0", sizeof "0.0.0.0");
    return true;
}

bool forward_place_parse(const char *text, struct forward_place *out, struct error *err)
{
    return parse(text, strlen(text), out, err);
}

void forward_place_text(const struct forward_place *place, char out[FORWARD_TEXT_MAX])
{
    bool colons = strchr(place->host, ':') != NULL;
    if (place->is_path)
        snprintf(out, FORWARD_TEXT_MAX, "%s", place->host);
    else
        snprintf(out, FORWARD_TEXT_MAX, colons ? "[%s]:%u" : "%s:%u", place->host, place->port);
}

bool forward_rule_parse(const char *text, bool reverse, struct forward_rule *out, struct error *err)
{
    const char *equals = strchr(text, '=');
    *out = (struct forward_rule){.reverse = reverse};
    if (equals) {
        if (!parse(text, (size_t)(equals - text), &out->listen, err) ||
            !forward_place_parse(equals + 1, &out->target, err))
            return error_wrap(err, "forward %.80s", text);
    } else {
        const char *colon = strchr(text, ':');
        uint16_t from, to;
        if (colon && port_parse(text, (size_t)(colon - text), &from) &&
            port_parse(colon + 1, strlen(colon + 1), &to)) {
            out->listen = (struct forward_place){.host = "127.0.0.1", .port = from};
            out->target = (struct forward_place){.host = "127.0.0.1", .port = to};
        } else if (!forward_place_parse(text, &out->listen, err)) {
            return error_wrap(err, "forward %.80s", text);
        } else if (out->listen.is_path) {
            return error_set(err, ERROR_INVALID,
                             "forward %.80s: a socket's path needs a target: PATH=TARGET", text);
        } else {
            out->target = (struct forward_place){.host = "127.0.0.1", .port = out->listen.port};
        }
    }
    if (!out->target.is_path && out->target.port == 0)
        return error_set(err, ERROR_INVALID, "forward %.80s: the target needs a port", text);
    return true;
}
