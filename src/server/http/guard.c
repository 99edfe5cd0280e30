/* SPDX-License-Identifier: Apache-2.0 */
#include "http/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "http/header.h"

enum { MAX_TARGET = 8 * 1024, MAX_FIELDS = 100, MAX_FIELD_BYTES = 16 * 1024, MAX_NAME = 255 };

static enum guard_verdict refuse(struct error *err, const char *code, const char *text)
{
    error_set(err, ERROR_INVALID, "%s", text);
    error_about(err, NULL, code);
    return GUARD_REFUSED;
}

static bool is_digits(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

static struct bytes part(const char *from, const char *to)
{
    return (struct bytes){(const uint8_t *)from, (size_t)(to - from)};
}

/* Letters, digits, dots, hyphens and what container networks use: no escapes, no user. */
static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return name.size > 0 && name.size <= MAX_NAME;
}

static bool parse_address(struct bytes name, struct in_addr *v4, struct in6_addr *v6, bool *is_v6)
{
    char text[INET6_ADDRSTRLEN];
    if (name.size >= sizeof text)
        return false;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    *is_v6 = inet_pton(AF_INET6, text, v6) == 1;
    return *is_v6 || inet_pton(AF_INET, text, v4) == 1;
}

bool host_name(const char *field, struct bytes *out)
{
    const char *end = field + strlen(field), *name_end = NULL;
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v6 = false;
    if (*field == '[') {
        name_end = strchr(field, ']');
        if (!name_end)
            return false;
        *out = part(field + 1, name_end++);
        if (!parse_address(*out, &v4, &v6, &is_v6) || !is_v6)
            return false;
    } else {
        name_end = field + strcspn(field, ":");
        *out = part(field, name_end);
        if (!is_name(*out))
            return false;
        if (out->size > 1 && out->data[out->size - 1] == '.')
            out->size--; /* the root of all names */
    }
    return name_end == end || (*name_end == ':' && is_digits(part(name_end + 1, end)));
}

static bool same(struct bytes name, struct bytes other)
{
    return name.size == other.size &&
           strncasecmp((const char *)name.data, (const char *)other.data, name.size) == 0;
}

static bool ends_in(struct bytes name, struct bytes ending)
{
    if (name.size <= ending.size)
        return false;
    return same((struct bytes){name.data + name.size - ending.size, ending.size}, ending);
}

static bool is_listed(const char *allowed, struct bytes name)
{
    struct bytes rest = bytes_of(allowed ? allowed : ""), item;
    while (header_list_next(&rest, &item)) {
        if (same(item, name))
            return true;
        if (item.size > 1 && item.data[0] == '*' &&
            ends_in(name, (struct bytes){item.data + 1, item.size - 1}))
            return true;
    }
    return false;
}

/* "*" lets every name in, but makes no other site a friend. */
static bool lists_all(const char *allowed)
{
    struct bytes rest = bytes_of(allowed ? allowed : ""), item;
    while (header_list_next(&rest, &item))
        if (same(item, bytes_of("*")))
            return true;
    return false;
}

static bool is_local_name(struct bytes name)
{
    return same(name, bytes_of("localhost")) || ends_in(name, bytes_of(".localhost"));
}

/* Nobody outside can have these point anywhere: they are not in the public name system. */
static bool is_private_name(struct bytes name)
{
    static const char *const endings[] = {".local", ".internal", ".home.arpa"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_in(name, bytes_of(endings[i])))
            return true;
    return !memchr(name.data, '.', name.size);
}

/* An address in the Host field was typed as such: there was no name that could have been bent. */
static bool is_address(struct bytes name, bool loopback)
{
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v6 = false;
    if (!parse_address(name, &v4, &v6, &is_v6))
        return false;
    if (!loopback)
        return true;
    if (is_v6 && IN6_IS_ADDR_V4MAPPED(&v6))
        return v6.s6_addr[12] == IN_LOOPBACKNET;
    return is_v6 ? IN6_IS_ADDR_LOOPBACK(&v6) : ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_ours(const struct guard_names *names, struct bytes name)
{
    for (size_t i = 0; i < sizeof names->own / sizeof *names->own; i++)
        if (names->own[i] && same(name, bytes_of(names->own[i])))
            return true;
    return is_local_name(name) || is_address(name, names->loopback) ||
           (!names->loopback && is_private_name(name)) || is_listed(names->allowed, name) ||
           lists_all(names->allowed);
}

/* Of which site is the page that sent this? A listed one is no other site, whatever the browser
 * thinks of its name. */
static bool origin_fits(const struct guard_names *names, const struct guard_header *header,
                        struct bytes host)
{
    struct bytes name;
    const char *authority = header->origin ? strstr(header->origin, "://") : NULL;
    bool named = authority && host_name(authority + 3, &name);
    if (named && is_listed(names->allowed, name))
        return true;
    if (header->fetch_site && strcasecmp(header->fetch_site, "cross-site") == 0)
        return false;
    /* "null" is named by nothing: a file, or a page in a sandbox. */
    return !header->origin || (named && same(name, host));
}

void guard_note_field(struct guard_header *header, const char *name, const char *value)
{
    header->fields++;
    header->field_bytes += strlen(name) + strlen(value);
    header->odd_name |= name[strcspn(name, " \t")] != '\0';
    if (strcasecmp(name, "Host") == 0 && header->hosts++ == 0)
        header->host = value;
    else if (strcasecmp(name, "Transfer-Encoding") == 0 && header->codings++ == 0)
        header->coding = value;
    else if (strcasecmp(name, "Content-Length") == 0)
        header->lengths++;
    else if (strcasecmp(name, "Origin") == 0)
        header->origin = value;
    else if (strcasecmp(name, "Sec-Fetch-Site") == 0)
        header->fetch_site = value;
}

static const char *what_is_malformed(const struct guard_header *header, struct bytes *out_host)
{
    *out_host = bytes_of("");
    if (header->odd_name)
        return "the name of a header field has white space";
    if (header->lengths > 1)
        return "Content-Length was sent more than once";
    if (header->codings > 0 && header->lengths > 0)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (header->codings > 0 &&
        (header->codings > 1 || header->old || strcasecmp(header->coding, "chunked") != 0))
        return "the only Transfer-Encoding is chunked, since HTTP/1.1";
    if (header->hosts > 1)
        return "Host was sent more than once";
    if (header->hosts == 0)
        return header->old ? NULL : "the Host field is missing";
    return host_name(header->host, out_host) ? NULL : "the Host field is malformed";
}

enum guard_verdict guard_check(const struct guard_names *names, const struct guard_header *header,
                               struct error *err)
{
    struct bytes host;
    const char *malformed = what_is_malformed(header, &host);
    if (malformed) {
        refuse(err, "request_malformed", malformed);
        return GUARD_HANG_UP;
    }
    if (header->target_bytes > MAX_TARGET)
        return refuse(err, "uri_too_long", "the address is too long");
    if (header->fields > MAX_FIELDS || header->field_bytes > MAX_FIELD_BYTES)
        return refuse(err, "headers_too_large", "the header is too large");
    if (host.size > 0 && !is_ours(names, host)) {
        error_set(err, ERROR_DENIED, "the request was for \"%.*s\"",
                  (int)(host.size > 100 ? 100 : host.size), (const char *)host.data);
        error_about(err, NULL, "host_denied");
        return GUARD_REFUSED;
    }
    if (!header->reads && !origin_fits(names, header, host)) {
        error_set(err, ERROR_DENIED, "sent by a page of another site");
        error_about(err, NULL, "origin_denied");
        return GUARD_REFUSED;
    }
    return GUARD_FINE;
}

bool guard_names_check(const char *allowed, struct error *err)
{
    struct bytes rest = bytes_of(allowed), item;
    while (header_list_next(&rest, &item)) {
        bool all = same(item, bytes_of("*"));
        size_t star = item.size > 2 && item.data[0] == '*' && item.data[1] == '.' ? 2 : 0;
        struct bytes name = {item.data + star, item.size - star};
        struct in_addr v4;
        struct in6_addr v6;
        bool is_v6 = false;
        if (!all && !is_name(name) && !parse_address(name, &v4, &v6, &is_v6))
            return error_set(err, ERROR_INVALID,
                             "\"%.*s\" is no name to be asked by: write example.org, *.example.org "
                             "or *, without a port, several with commas between them",
                             (int)(item.size > 100 ? 100 : item.size), (const char *)item.data);
    }
    return true;
}
