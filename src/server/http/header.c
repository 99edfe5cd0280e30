/* SPDX-License-Identifier: Apache-2.0 */
#include "http/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"

static bool blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static struct bytes trim(struct bytes text)
{
    while (text.size && blank(text.data[0]))
        text = (struct bytes){text.data + 1, text.size - 1};
    while (text.size && blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Bytes before the first `stop` that stands outside quotes, or all. */
static size_t unquoted_span(struct bytes text, uint8_t stop)
{
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (quoted && byte == '\\')
            i++;
        else if (byte == '"')
            quoted = !quoted;
        else if (byte == stop && !quoted)
            return i;
    }
    return text.size;
}

static struct bytes skip(struct bytes text, size_t size)
{
    return size >= text.size ? (struct bytes){text.data + text.size, 0}
                             : (struct bytes){text.data + size, text.size - size};
}

bool header_list_next(struct bytes *rest, struct bytes *out)
{
    while (rest->size) {
        size_t span = unquoted_span(*rest, ',');
        *out = trim((struct bytes){rest->data, span});
        *rest = skip(*rest, span + 1);
        if (out->size)
            return true;
    }
    return false;
}

struct bytes header_value(struct bytes field)
{
    return trim((struct bytes){field.data, unquoted_span(field, ';')});
}

bool bytes_equal_nocase(struct bytes a, const char *b)
{
    return a.size == strlen(b) && strncasecmp((const char *)a.data, b, a.size) == 0;
}

static bool unquote(struct bytes value, char *out, size_t size)
{
    bool quoted = value.size >= 2 && value.data[0] == '"';
    if (quoted && value.data[value.size - 1] != '"')
        return false;
    if (quoted)
        value = (struct bytes){value.data + 1, value.size - 2};
    size_t used = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (quoted && value.data[i] == '\\' && ++i == value.size)
            return false;
        if (used + 1 >= size)
            return false;
        out[used++] = (char)value.data[i];
    }
    out[used] = '\0';
    return memchr(out, '\0', used) == NULL;
}

bool header_param(struct bytes field, const char *name, char *out, size_t size)
{
    struct bytes rest = skip(field, unquoted_span(field, ';') + 1);
    while (rest.size) {
        size_t span = unquoted_span(rest, ';');
        struct bytes param = trim((struct bytes){rest.data, span});
        rest = skip(rest, span + 1);
        const uint8_t *equals = param.size ? memchr(param.data, '=', param.size) : NULL;
        if (!equals)
            continue;
        size_t name_size = (size_t)(equals - param.data);
        if (!bytes_equal_nocase(trim((struct bytes){param.data, name_size}), name))
            continue;
        return !out || unquote(trim(skip(param, name_size + 1)), out, size);
    }
    return false;
}

/* The q parameter, 1 when there is none; 0 when it is nonsense. */
static double quality(struct bytes element)
{
    char text[16];
    double value = 1;
    if (!header_param(element, "q", text, sizeof text))
        return 1;
    return text_real(text, 0, 1, &value) ? value : 0;
}

size_t header_language(const char *field, const char *const *offers)
{
    struct bytes rest = bytes_of(field ? field : ""), element;
    double best_quality = 0;
    size_t best = 0;
    for (int count = 0; count < 32 && header_list_next(&rest, &element); count++) {
        struct bytes tag = header_value(element);
        const uint8_t *dash = tag.size ? memchr(tag.data, '-', tag.size) : NULL;
        struct bytes primary = {tag.data, dash ? (size_t)(dash - tag.data) : tag.size};
        double q = quality(element);
        for (size_t i = 0; offers[i]; i++) {
            if (bytes_equal_nocase(primary, offers[i]) && q > best_quality) {
                best_quality = q;
                best = i;
            }
        }
    }
    return best;
}

bool header_has_etag(const char *field, const char *etag, bool weak)
{
    struct bytes rest = bytes_of(field ? field : ""), element;
    while (header_list_next(&rest, &element)) {
        if (weak && element.size > 2 && memcmp(element.data, "W/", 2) == 0)
            element = skip(element, 2);
        if (bytes_equal(element, bytes_of("*")) || bytes_equal(element, bytes_of(etag)))
            return true;
    }
    return false;
}

bool header_accepts_coding(const char *field, const char *coding)
{
    struct bytes rest = bytes_of(field ? field : ""), element;
    while (header_list_next(&rest, &element))
        if (bytes_equal_nocase(header_value(element), coding))
            return quality(element) > 0;
    return false;
}

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void http_date(int64_t unix_seconds, char out[HTTP_DATE_SIZE])
{
    time_t time = (time_t)unix_seconds;
    struct tm tm = {.tm_mday = 1};
    gmtime_r(&time, &tm);
    unsigned year = (unsigned)(tm.tm_year + 1900) % 10000, day = (unsigned)tm.tm_mday % 100;
    unsigned hour = (unsigned)tm.tm_hour % 100, minute = (unsigned)tm.tm_min % 100;
    snprintf(out, HTTP_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             day, months + 3 * tm.tm_mon, year, hour, minute, (unsigned)tm.tm_sec % 100);
}

/* `count` digits, or -1. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool http_date_parse(const char *text, int64_t *out_unix_seconds)
{
    static const char shape[] = "???, ?? ??? ???? ??:??:?? GMT";
    if (strlen(text) != HTTP_DATE_SIZE - 1)
        return false;
    for (size_t i = 0; i < HTTP_DATE_SIZE - 1; i++)
        if (shape[i] != '?' && shape[i] != text[i])
            return false;
    struct tm tm = {
        .tm_mday = digits(text + 5, 2),
        .tm_mon = -1,
        .tm_year = digits(text + 12, 4) - 1900,
        .tm_hour = digits(text + 17, 2),
        .tm_min = digits(text + 20, 2),
        .tm_sec = digits(text + 23, 2),
    };
    for (int i = 0; i < 12; i++)
        if (memcmp(months + 3 * i, text + 8, 3) == 0)
            tm.tm_mon = i;
    if (tm.tm_mday < 1 || tm.tm_mon < 0 || tm.tm_year < 0 || tm.tm_hour < 0 || tm.tm_min < 0 ||
        tm.tm_sec < 0)
        return false;
    *out_unix_seconds = timegm(&tm);
    return true;
}

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

bool url_decode(struct bytes input, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < input.size; i++) {
        uint8_t byte = input.data[i];
        if (byte == '%') {
            bool whole = input.size - i > 2;
            int high = whole ? hex_digit(input.data[i + 1]) : -1;
            int low = whole ? hex_digit(input.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (byte == '\0')
            return false;
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    return true;
}

static bool segment_safe(const char *segment)
{
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return false;
    for (const char *at = segment; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '/' || *at == '\\')
            return false;
    return utf8_valid(bytes_of(segment));
}

bool url_path(const char *path, char *out)
{
    if (path[0] != '/')
        return false;
    while (*path == '/') {
        size_t span = strcspn(++path, "/");
        *out++ = '/';
        if (!url_decode((struct bytes){(const uint8_t *)path, span}, out) || !segment_safe(out))
            return false;
        out += strlen(out);
        path += span;
    }
    return true;
}
