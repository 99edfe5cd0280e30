/* SPDX-License-Identifier: Apache-2.0 */
/* A response as a handler fills it in. Besides a body of bytes it can be a part of a file, a
 * stream that goes on as long as it likes without holding a thread, or a promise to answer later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/bytes.h"

struct error;
struct http_request;
struct http_response;
struct http_shared;
struct jv;

enum { HTTP_FOREVER_MS = -1 };

/* What a stream says when it is asked for more. */
enum http_pull {
    HTTP_PULL_FAILED, /* the connection is broken off */
    HTTP_PULL_DATA,   /* bytes were appended */
    HTTP_PULL_WAIT,   /* nothing yet: ask again when woken, or at *out_wake_ms */
    HTTP_PULL_END,    /* nothing more (what was appended is still sent) */
};

struct http_stream {
    void *state;
    /* May block for a moment: it runs on a worker. `now_ms` is the monotonic clock; *out_wake_ms is
     * on it too, HTTP_FOREVER_MS at first. `stopping`: the server ends, this is the last chance to
     * say something. */
    enum http_pull (*pull)(void *state, int64_t now_ms, bool stopping, struct buf *out,
                           int64_t *out_wake_ms);
    void (*free)(void *state);
};

struct http_wait {
    void *state;
    /* Called on a worker after a wake, after `until_ms`, and when the server is stopping. Fills in
     * a response, or calls http_response_wait with the same state again. */
    bool (*again)(void *state, const struct http_request *request, struct http_response *response,
                  bool stopping, struct error *err);
    void (*free)(void *state);
    int64_t until_ms; /* monotonic, or HTTP_FOREVER_MS */
};

void http_response_status(struct http_response *response, int status);
/* Replaces a field of that name; the value is copied and must hold no line ends. */
void http_response_header(struct http_response *response, const char *name, const char *value);

/* The body in memory: taken over, or, when it lives for ever, just named. */
void http_response_take(struct http_response *response, const char *type, struct buf *body);
void http_response_static(struct http_response *response, const char *type, struct bytes body);
/* As JSON; the value is taken over. `type` NULL: application/json. */
void http_response_json(struct http_response *response, const char *type, struct jv **value);

/* `size` bytes of a file from `offset`; the descriptor is taken over. */
void http_response_fd(struct http_response *response, const char *type, int *fd, uint64_t offset,
                      uint64_t size);
void http_response_stream(struct http_response *response, const char *type,
                          const struct http_stream *stream);

/* Only in handlers of blocking routes: answers later and holds no thread meanwhile. */
void http_response_wait(struct http_response *response, const struct http_wait *wait);

/* A ready-made response that many requests share: the cheapest way to say the same thing often.
 * Fields and body are copied when it is made. */
struct http_shared *http_shared_new(int status, const char *type, struct bytes body);
struct http_shared *http_shared_ref(struct http_shared *shared);
void http_shared_unref(struct http_shared *shared);
void http_response_shared(struct http_response *response, struct http_shared *shared);
