/* SPDX-License-Identifier: Apache-2.0 */
/* What request and response are made of, for this module only. */
#pragma once

#include "base/error.h"
#include "http/form.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"

struct exchange;

struct http_request {
    struct exchange *exchange;
    enum http_method method;
    char *path; /* decoded */
    char id[HTTP_ID_MAX + 1];
    struct http_match match;
    int64_t started_ns;
    struct http_form *form;
    struct buf body;
    /* Copies that were asked for: parts of the path and of the query. */
    struct {
        const char *name;
        char *value;
    } texts[16];
    size_t text_count;
};

enum response_kind {
    RESPONSE_EMPTY,
    RESPONSE_BUF,
    RESPONSE_STATIC,
    RESPONSE_FD,
    RESPONSE_STREAM,
    RESPONSE_WAIT,
    RESPONSE_SHARED,
};

enum { RESPONSE_MAX_HEADERS = 16 };

struct http_response {
    int status;
    enum response_kind kind;
    struct {
        const char *name;
        char *value;
    } headers[RESPONSE_MAX_HEADERS];
    size_t header_count;
    struct buf body;
    struct bytes fixed;
    int fd;
    uint64_t offset, size;
    struct http_stream stream;
    struct http_wait wait;
    struct http_shared *shared;
};

void request_dispose(struct http_request *request);

void response_init(struct http_response *response);
void response_dispose(struct http_response *response);
/* Forgets the body, whatever kind it has; fields stay. */
void response_drop_body(struct http_response *response);

/* What the adapter lends to request.c. */
const char *exchange_header(const struct exchange *exchange, const char *name);
const char *exchange_query(const struct exchange *exchange, const char *name);
int exchange_socket(const struct exchange *exchange);
struct http_peer exchange_peer(const struct exchange *exchange);
