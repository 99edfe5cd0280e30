/* SPDX-License-Identifier: Apache-2.0 */
/* A request whose header is there: its id, its route, whether it is let in, what its body becomes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "http/header.h"
#include "http/server_internal.h"

void exchange_fail(struct exchange *exchange)
{
    exchange->failed = true;
    exchange->ready = false;
}

void exchange_fail_with(struct exchange *exchange, enum error_kind kind, const char *code,
                        const char *text)
{
    error_set(&exchange->err, kind, "%s", text);
    error_about(&exchange->err, NULL, code);
    exchange_fail(exchange);
}

static void prepare_body(struct exchange *exchange)
{
    const struct http_route *route = exchange->request.match.route;
    const char *type = exchange_header(exchange, "Content-Type");
    size_t limit = route->body == HTTP_BODY_NONE ? MAX_STRAY_BODY : route->max_body;
    if (exchange->announced > limit) {
        exchange_fail_with(exchange, ERROR_LIMIT, "body_too_large",
                           "the announced body is too large");
        return;
    }
    if (route->body == HTTP_BODY_BYTES)
        exchange->request.body = BUF(route->max_body);
    if (route->body != HTTP_BODY_FORM)
        return;
    if (!type || !bytes_equal_nocase(header_value(bytes_of(type)), "multipart/form-data")) {
        exchange_fail_with(exchange, ERROR_INVALID, "media_type_unsupported",
                           "the body is not multipart/form-data");
        return;
    }
    exchange->request.form =
        http_form_new(type, route->parts, exchange->server->spool_dir, &exchange->err);
    if (!exchange->request.form)
        exchange_fail(exchange);
}

static void find_route(struct exchange *exchange, const char *url)
{
    struct http_request *request = &exchange->request;
    const struct http_app *app = &exchange->server->app;
    request->path = xmalloc(strlen(url) + 2);
    if (!url_path(url, request->path)) {
        strcpy(request->path, "/");
        exchange_fail_with(exchange, ERROR_INVALID, "path_malformed", "the path is malformed");
        return;
    }
    request->match = http_route_find(app->routes, app->route_count, request->method, request->path);
    if (request->match.route)
        return;
    if (!request->match.path_known) {
        exchange_fail_with(exchange, ERROR_NOT_FOUND, "not_found", "no such path");
        return;
    }
    char allowed[80];
    http_allowed_text(request->match.allowed, allowed, sizeof allowed);
    http_response_header(&exchange->response, "Allow", allowed);
    if (request->method == HTTP_OPTIONS) {
        exchange->response.status = 204;
        exchange->ready = true;
        return;
    }
    exchange_fail_with(exchange, ERROR_INVALID, "method_not_allowed",
                       "this path has no such method");
}

static void name_request(struct exchange *exchange)
{
    static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.";
    char *id = exchange->request.id;
    const char *sent = exchange_header(exchange, "X-Request-Id");
    size_t size = sent ? strlen(sent) : 0;
    if (size > 0 && size <= HTTP_ID_MAX && strspn(sent, allowed) == size)
        memcpy(id, sent, size + 1);
    else
        snprintf(id, HTTP_ID_MAX + 1, "r%08x-%llu", exchange->server->id_base,
                 (unsigned long long)atomic_fetch_add(&exchange->server->next_id, 1));
}

/* Some clients write the whole address, as for a proxy: then its authority counts, not Host. */
static const char *path_of(const char *url, char out_host[GUARD_MAX_HOST])
{
    static const char scheme[] = "http://";
    out_host[0] = '\0';
    if (strncasecmp(url, scheme, sizeof scheme - 1) != 0)
        return url;
    const char *authority = url + sizeof scheme - 1;
    size_t size = strcspn(authority, "/");
    if (size == 0 || size >= GUARD_MAX_HOST)
        return url; /* malformed as a path, too */
    memcpy(out_host, authority, size);
    out_host[size] = '\0';
    return authority[size] ? authority + size : "/";
}

static void examine(struct exchange *exchange, const char *url, const char *host,
                    const char *version)
{
    enum http_method method = exchange->request.method;
    struct guard_header header = {
        .target_bytes = strlen(url),
        .old = strcmp(version, "HTTP/1.1") != 0,
        .reads = method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS,
    };
    exchange_note_header(exchange, &header);
    if (*host)
        header.host = host;
    enum guard_verdict verdict = guard_check(&exchange->server->names, &header, &exchange->err);
    exchange->hangs_up = verdict == GUARD_HANG_UP || atomic_load(&exchange->conn->crowded);
    if (verdict != GUARD_FINE)
        exchange_fail(exchange);
    else if (exchange->conn->crowded)
        exchange_fail_with(exchange, ERROR_UNAVAILABLE, "server_busy", "too many connections");
}

void exchange_admit(struct exchange *exchange, const char *url, const char *version)
{
    char host[GUARD_MAX_HOST];
    name_request(exchange);
    find_route(exchange, path_of(url, host));
    examine(exchange, url, host, version);
    if (!exchange->failed && !exchange->ready)
        prepare_body(exchange);
}
