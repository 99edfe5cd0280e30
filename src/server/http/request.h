/* SPDX-License-Identifier: Apache-2.0 */
/* A request as a handler sees it. Everything is borrowed from it and lives as long as it. */
#pragma once

#include "base/bytes.h"
#include "http/router.h"

struct http_form;
struct http_request;
struct http_waker;

enum { HTTP_ID_MAX = 48 };

enum http_method http_request_method(const struct http_request *request);
/* Decoded; safe to log, not to open. */
const char *http_request_path(const struct http_request *request);
/* Names this request in logs and problems: the client's own X-Request-Id where it is sane. */
const char *http_request_id(const struct http_request *request);
/* NULL while none has been found. */
const struct http_route *http_request_route(const struct http_request *request);
int64_t http_request_started_ns(const struct http_request *request); /* monotonic */

/* A header field by name, any case; NULL when it was not sent. */
const char *http_request_header(const struct http_request *request, const char *name);
/* A part of the path by its name in the route's pattern; "" for a name that is not there. */
const char *http_request_param(const struct http_request *request, const char *name);
/* A parameter of the query, decoded; NULL when it was not sent or is malformed. */
const char *http_request_query(const struct http_request *request, const char *name);

/* Who asks, as numbers: the connection, which is never used again for another, and the address that
 * it comes from (of IPv6 its network, which is what one customer has), never 0. */
struct http_peer {
    uint64_t address, connection;
};
struct http_peer http_request_peer(const struct http_request *request);

/* Does it come from this very machine, and not through a proxy here? */
bool http_request_is_local(const struct http_request *request);

/* Has the client closed its side of the connection? For work that takes long and that nobody would
 * see the end of. From any thread, while the handler runs; costs one system call. */
bool http_request_abandoned(const struct http_request *request);

/* The uploaded form of a route with HTTP_BODY_FORM. */
struct http_form *http_request_form(const struct http_request *request);
/* The body of a route with HTTP_BODY_BYTES. */
struct bytes http_request_body(const struct http_request *request);

/* A handle with which any thread wakes this request while it waits (see http/response.h), also
 * when it begins to wait only afterwards. It may outlive the request and then does nothing. */
struct http_waker *http_request_waker(const struct http_request *request);
void http_waker_wake(struct http_waker *waker);
void http_waker_free(struct http_waker *waker);
