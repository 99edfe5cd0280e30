/* SPDX-License-Identifier: Apache-2.0 */
#include "http/response.h"

#include <assert.h>
#include <strings.h>

#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "http/exchange_internal.h"

enum { MAX_JSON = 16 * 1024 * 1024 };

void response_init(struct http_response *response)
{
    *response = (struct http_response){.status = 200, .fd = -1};
}

void response_drop_body(struct http_response *response)
{
    buf_dispose(&response->body);
    if (response->fd >= 0)
        close(fd_take(&response->fd));
    if (response->stream.free)
        response->stream.free(response->stream.state);
    if (response->wait.free)
        response->wait.free(response->wait.state);
    http_shared_unref(TAKE(response->shared));
    response->body = (struct buf){.data = NULL};
    response->stream = (struct http_stream){.state = NULL};
    response->wait = (struct http_wait){.state = NULL};
    response->kind = RESPONSE_EMPTY;
}

void response_dispose(struct http_response *response)
{
    response_drop_body(response);
    for (size_t i = 0; i < response->header_count; i++)
        free(response->headers[i].value);
    response->header_count = 0;
}

void http_response_status(struct http_response *response, int status)
{
    response->status = status;
}

void http_response_header(struct http_response *response, const char *name, const char *value)
{
    assert(strpbrk(value, "\r\n") == NULL);
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0) {
            free(response->headers[i].value);
            response->headers[i].value = xstrdup(value);
            return;
        }
    }
    assert(response->header_count < RESPONSE_MAX_HEADERS);
    response->headers[response->header_count].name = name;
    response->headers[response->header_count].value = xstrdup(value);
    response->header_count++;
}

static void begin(struct http_response *response, enum response_kind kind, const char *type)
{
    response_drop_body(response);
    response->kind = kind;
    if (type)
        http_response_header(response, "Content-Type", type);
}

void http_response_take(struct http_response *response, const char *type, struct buf *body)
{
    begin(response, RESPONSE_BUF, type);
    response->body = *body;
    *body = (struct buf){.limit = body->limit};
}

void http_response_static(struct http_response *response, const char *type, struct bytes body)
{
    begin(response, RESPONSE_STATIC, type);
    response->fixed = body;
}

void http_response_json(struct http_response *response, const char *type, struct jv **value)
{
    AUTO(jv_free) struct jv *taken = TAKE(*value);
    AUTO(buf_dispose) struct buf text = BUF(MAX_JSON);
    bool fits = jv_write(taken, false, &text, NULL) && buf_text(&text, "\n", NULL);
    assert(fits);
    http_response_take(response, type ? type : "application/json", &text);
}

void http_response_fd(struct http_response *response, const char *type, int *fd, uint64_t offset,
                      uint64_t size)
{
    begin(response, RESPONSE_FD, type);
    response->fd = fd_take(fd);
    response->offset = offset;
    response->size = size;
}

void http_response_stream(struct http_response *response, const char *type,
                          const struct http_stream *stream)
{
    begin(response, RESPONSE_STREAM, type);
    response->stream = *stream;
}

void http_response_wait(struct http_response *response, const struct http_wait *wait)
{
    begin(response, RESPONSE_WAIT, NULL);
    response->wait = *wait;
}

void http_response_shared(struct http_response *response, struct http_shared *shared)
{
    begin(response, RESPONSE_SHARED, NULL);
    response->shared = http_shared_ref(shared);
}
