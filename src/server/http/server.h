/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: connections, limits and threads. What to answer is the application's.
 *
 * A few server threads own all connections (epoll) and run handlers that do not block; workers run
 * those that may, others those that do for long. A request that waits, for a job or for the next
 * event of a stream, holds neither. Uploads go to the spool folder while they arrive; a client that
 * breaks off leaves nothing behind. Clients that send too slowly are cut off. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"

struct error;

struct http_app {
    void *context;
    const struct http_route *routes;
    size_t route_count;
    /* Fills in the response, or fails. */
    bool (*handle)(void *context, const struct http_request *request,
                   struct http_response *response, struct error *err);
    /* Turns an error, of a handler or of the server itself, into a response. Codes of the server:
     * not_found, method_not_allowed, path_malformed, body_too_large, media_type_unsupported,
     * body_missing, server_busy, those of http/guard.h, and those of http/form.h. */
    void (*explain)(void *context, const struct http_request *request, const struct error *err,
                    struct http_response *response);
    /* After the last byte, or when the client broke off (`complete` is then false; `status` is
     * 499 when there was no answer yet). */
    void (*finished)(void *context, const struct http_request *request, int status, bool complete);
    /* A connection on which there were requests was closed; or NULL. */
    void (*closed)(void *context, struct http_peer peer);
};

/* Texts are borrowed for as long as the server runs. */
struct http_options {
    const char *host;          /* "127.0.0.1", "::1", "0.0.0.0" or a name */
    int port;                  /* 0: any free one */
    const char *allowed_hosts; /* names to be asked by beside its own, see http/guard.h; or NULL */
    const char *spool_dir;     /* for uploads, on the disk where they will stay */
    int threads;               /* 0: one for each core, at most 4 */
    int workers;               /* 0: 4 */
    int heavy_workers;         /* 0: 6 */
    int max_connections;       /* 0: 4096; fewer where the process may not open enough files */
    int header_timeout_ms;     /* from the connection to the whole header, and idle; 0: 30 s */
    int body_grace_ms;         /* a body must come at 8 kB/s after this; 0: 20 s */
};

struct http_server;
/* Listens and answers when it returns. ERROR_CONFLICT when the port is taken. */
MUST_USE struct http_server *http_server_start(const struct http_options *options,
                                               const struct http_app *app, struct error *err);
int http_server_port(const struct http_server *server);
/* No new connections; streams and waits are told and end; running requests may finish for
 * `grace_ms`. Then everything is closed and freed. */
void http_server_stop(struct http_server *server, int64_t grace_ms);

struct http_counts {
    int connections, waiting, busy_workers, queued;
};
void http_server_counts(struct http_server *server, struct http_counts *out);
