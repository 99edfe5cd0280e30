/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request.h"

#include <poll.h>

#include "base/mem.h"
#include "http/address.h"
#include "http/exchange_internal.h"
#include "http/header.h"

enum http_method http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_id(const struct http_request *request)
{
    return request->id;
}

const struct http_route *http_request_route(const struct http_request *request)
{
    return request->match.route;
}

int64_t http_request_started_ns(const struct http_request *request)
{
    return request->started_ns;
}

struct http_peer http_request_peer(const struct http_request *request)
{
    return exchange_peer(request->exchange);
}

bool http_request_is_local(const struct http_request *request)
{
    bool forwarded = http_request_header(request, "X-Forwarded-For") ||
                     http_request_header(request, "X-Real-IP") ||
                     http_request_header(request, "Forwarded");
    return !forwarded && address_is_loopback(http_request_peer(request).address);
}

bool http_request_abandoned(const struct http_request *request)
{
    struct pollfd client = {.fd = exchange_socket(request->exchange), .events = POLLRDHUP};
    return poll(&client, 1, 0) > 0 && (client.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return exchange_header(request->exchange, name);
}

/* A copy that lives as long as the request: one thread at a time has the request, so a look-up
 * may remember what it decoded. */
static const char *remember(const struct http_request *constant, const char *name, char *value)
{
    struct http_request *request = (struct http_request *)constant;
    if (request->text_count == sizeof request->texts / sizeof *request->texts) {
        free(value);
        return NULL;
    }
    request->texts[request->text_count].name = name;
    request->texts[request->text_count].value = value;
    request->text_count++;
    return value;
}

const char *http_request_param(const struct http_request *request, const char *name)
{
    const struct http_params *params = &request->match.params;
    for (size_t i = 0; i < params->count; i++) {
        bool same = strlen(name) == params->items[i].name_size &&
                    memcmp(name, params->items[i].name, params->items[i].name_size) == 0;
        if (!same)
            continue;
        const char *text =
            remember(request, name, xstrndup(params->items[i].value, params->items[i].value_size));
        return text ? text : "";
    }
    return "";
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    const char *raw = exchange_query(request->exchange, name);
    if (!raw)
        return NULL;
    AUTO(mem_free) char *text = xmalloc(strlen(raw) + 1);
    if (!url_decode(bytes_of(raw), text))
        return NULL;
    return remember(request, name, TAKE(text));
}

struct http_form *http_request_form(const struct http_request *request)
{
    return request->form;
}

struct bytes http_request_body(const struct http_request *request)
{
    return buf_bytes(&request->body);
}

void request_dispose(struct http_request *request)
{
    for (size_t i = 0; i < request->text_count; i++)
        free(request->texts[i].value);
    free(request->path);
    http_form_free(request->form);
    buf_dispose(&request->body);
}
