/* SPDX-License-Identifier: Apache-2.0 */
/* The small languages inside header fields: lists, parameters, quality values, dates, and the
 * percent-encoding of URLs. Pure functions over what a client sent: nothing here trusts it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

/* The next element of a comma-separated list without the white space around it; commas inside
 * quotes do not divide. Advances *rest; false at the end. Empty elements are skipped. */
bool header_list_next(struct bytes *rest, struct bytes *out);

/* The part before the first ';', trimmed: "text/html" of "text/html; charset=utf-8". */
struct bytes header_value(struct bytes field);

/* Finds parameter `name` (any case) after the first ';' and writes its value without quotes and
 * backslashes. False when it is missing, malformed or needs `size` bytes or more. With `out` NULL
 * it only tells whether the parameter is there. */
bool header_param(struct bytes field, const char *name, char *out, size_t size);

bool bytes_equal_nocase(struct bytes a, const char *b);

/* Which of `offers` (lower-case primary tags such as "ja", ended by NULL) the Accept-Language
 * field likes best; the first when it has no opinion. `field` may be NULL. */
size_t header_language(const char *field, const char *const *offers);

/* Does the list in an If-None-Match or If-Match field contain this quoted tag or "*"? `weak`
 * ignores W/ prefixes. */
bool header_has_etag(const char *field, const char *etag, bool weak);

/* Is `coding` acceptable by this Accept-Encoding field (NULL: no)? */
bool header_accepts_coding(const char *field, const char *coding);

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
enum { HTTP_DATE_SIZE = 30 };
void http_date(int64_t unix_seconds, char out[HTTP_DATE_SIZE]);
MUST_USE bool http_date_parse(const char *text, int64_t *out_unix_seconds);

/* Decodes %xx into out (room for input.size + 1). False for a broken escape or an escaped NUL. */
bool url_decode(struct bytes input, char *out);

/* Takes a URL's path apart: decodes every segment and refuses what could confuse a file system:
 * no leading slash, "." and "..", an encoded '/', NUL or control characters, bytes that are not
 * UTF-8. `out` (room for strlen(path) + 1) receives the decoded path. */
bool url_path(const char *path, char *out);
