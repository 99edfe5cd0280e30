/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that knows libmicrohttpd. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/address.h"
#include "http/guard.h"
#include "http/header.h"
#include "http/listen.h"
#include "http/server_internal.h"
#include "http/workers.h"

enum {
    MAX_DISCARD = 64 * 1024 * 1024, /* of a refused body, so that the client reads the answer */
    MAX_PENDING = 1024 * 1024,      /* of a stream, at once */
    MAX_QUEUED = 256,               /* requests in front of the workers */
    STREAM_BLOCK = 16 * 1024,
    CROWD =
        64, /* connections of a thread beyond their number, to be told that there are too many */
    STALLED_S = 90,        /* a connection on which nothing moves at all */
    STATUS_NOT_SENT = 499, /* the client went away before there was an answer */
};

struct http_shared {
    struct MHD_Response *response;
    atomic_int references;
    int status;
};

/* What every answer says to browsers: take it for what it says that it is, show it in no frame of
 * another site, load nothing on its behalf. A handler's own words win. */
static void add_protection(struct MHD_Response *response)
{
    static const char no_frames[] = "frame-ancestors 'none'";
    static const char nothing[] =
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    const char *type = MHD_get_response_header(response, "Content-Type");
    bool media = type && (text_starts(type, "image/") || text_starts(type, "audio/") ||
                          text_starts(type, "video/")); /* browsers make a page around them */
    const struct {
        const char *name, *value;
    } fields[] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", media ? no_frames : nothing},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Referrer-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!MHD_get_response_header(response, fields[i].name))
            MHD_add_response_header(response, fields[i].name, fields[i].value);
}

struct http_shared *http_shared_new(int status, const char *type, struct bytes body)
{
    struct http_shared *shared = xmalloc(sizeof *shared);
    *shared = (struct http_shared){.references = 1, .status = status};
    shared->response =
        MHD_create_response_from_buffer(body.size, (void *)body.data, MHD_RESPMEM_MUST_COPY);
    assert(shared->response);
    MHD_add_response_header(shared->response, "Content-Type", type);
    MHD_add_response_header(shared->response, "Cache-Control", "no-store");
    add_protection(shared->response);
    return shared;
}

struct http_shared *http_shared_ref(struct http_shared *shared)
{
    atomic_fetch_add(&shared->references, 1);
    return shared;
}

void http_shared_unref(struct http_shared *shared)
{
    if (!shared || atomic_fetch_sub(&shared->references, 1) != 1)
        return;
    MHD_destroy_response(shared->response);
    free(shared);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *exchange_query(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

int exchange_socket(const struct exchange *exchange)
{
    return exchange->conn ? exchange->conn->fd : -1;
}

struct http_peer exchange_peer(const struct exchange *exchange)
{
    return exchange->conn->peer;
}

void exchange_suspend(struct exchange *exchange)
{
    MHD_suspend_connection(exchange->connection);
}

void exchange_resume(struct exchange *exchange)
{
    struct MHD_Connection *connection = exchange->connection;
    /* Our last touch: whoever frees the exchange has looked at `ready` since, see on_completed. */
    atomic_store(&exchange->ready, atomic_load(&exchange->ready));
    MHD_resume_connection(connection);
}

/* Sending */

/* Asks the stream for more, on a worker while the connection is suspended (or, when the workers
 * have gone, on the server's thread). False when it has begun to wait. */
static bool stream_fill(struct exchange *exchange)
{
    struct http_stream *stream = &exchange->response.stream;
    while (exchange->pending.size == 0 && !exchange->stream_ended) {
        bool stopping = atomic_load(&exchange->server->stopping);
        int64_t wake_ms = HTTP_FOREVER_MS;
        switch (stream->pull(stream->state, mono_ms(), stopping, &exchange->pending, &wake_ms)) {
        case HTTP_PULL_FAILED:
            exchange->stream_failed = exchange->stream_ended = true;
            break;
        case HTTP_PULL_DATA:
            break;
        case HTTP_PULL_END:
            exchange->stream_ended = true;
            break;
        case HTTP_PULL_WAIT:
            if (exchange->pending.size == 0 && !stopping &&
                waiting_begin(exchange, WAITING_STREAM, wake_ms))
                return false;
            break;
        }
        if (stopping)
            exchange->stream_ended = true;
    }
    return true;
}

void exchange_stream(void *context)
{
    struct exchange *exchange = context;
    if (stream_fill(exchange))
        exchange_resume(exchange);
}

static ssize_t stream_read(void *context, uint64_t position, char *out, size_t size)
{
    struct exchange *exchange = context;
    if (exchange->pending.size == 0 && !exchange->stream_ended) {
        exchange_suspend(exchange);
        if (workers_resubmit(exchange->server->workers, exchange_stream, exchange))
            return 0;
        exchange_resume(exchange);
        stream_fill(exchange);
    }
    if (exchange->pending.size == 0)
        return exchange->stream_failed ? MHD_CONTENT_READER_END_WITH_ERROR
                                       : MHD_CONTENT_READER_END_OF_STREAM;
    size_t count = exchange->pending.size < size ? exchange->pending.size : size;
    memcpy(out, exchange->pending.data, count);
    buf_consume(&exchange->pending, count);
    return (ssize_t)count;
}

static struct MHD_Response *response_make(struct exchange *exchange)
{
    struct http_response *response = &exchange->response;
    size_t size = response->body.size;
    switch (response->kind) {
    case RESPONSE_BUF:
        return MHD_create_response_from_buffer(size, buf_take(&response->body),
                                               MHD_RESPMEM_MUST_FREE);
    case RESPONSE_STATIC:
        return MHD_create_response_from_buffer(response->fixed.size, (void *)response->fixed.data,
                                               MHD_RESPMEM_PERSISTENT);
    case RESPONSE_FD:
        return MHD_create_response_from_fd_at_offset64(response->size, fd_take(&response->fd),
                                                       response->offset);
    case RESPONSE_STREAM:
        exchange->pending = BUF(MAX_PENDING);
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read,
                                                 exchange, NULL);
    default:
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    }
}

static enum MHD_Result send_response(struct exchange *exchange)
{
    struct http_response *response = &exchange->response;
    exchange->queued = true;
    http_form_free(TAKE(exchange->request.form)); /* who has the answer finds no upload left */
    if (response->kind == RESPONSE_SHARED) {
        response->status = response->shared->status;
        return MHD_queue_response(exchange->connection, (unsigned)response->status,
                                  response->shared->response);
    }
    struct MHD_Response *made = response_make(exchange);
    if (!made)
        return MHD_NO;
    for (size_t i = 0; i < response->header_count; i++)
        MHD_add_response_header(made, response->headers[i].name, response->headers[i].value);
    add_protection(made);
    MHD_add_response_header(made, "X-Request-Id", exchange->request.id);
    if (exchange->hangs_up || atomic_load(&exchange->server->stopping))
        MHD_add_response_header(made, "Connection", "close");
    enum MHD_Result queued =
        MHD_queue_response(exchange->connection, (unsigned)response->status, made);
    MHD_destroy_response(made);
    return queued;
}

/* Receiving */

static enum MHD_Result note_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    guard_note_field(context, name, value ? value : "");
    return MHD_YES;
}

static enum MHD_Result note_query(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct guard_header *header = context;
    header->target_bytes += strlen(name) + (value ? strlen(value) : 0) + 2;
    return MHD_YES;
}

void exchange_note_header(const struct exchange *exchange, struct guard_header *header)
{
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, note_field, header);
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, note_query, header);
}

static struct exchange *exchange_begin(struct http_server *server,
                                       struct MHD_Connection *connection, const char *url,
                                       const char *method, const char *version)
{
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->request.exchange = exchange;
    exchange->request.started_ns = mono_ns();
    exchange->request.method = http_method_parse(method);
    response_init(&exchange->response);
    exchange->conn =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    atomic_store(&exchange->conn->idle_since_ms, 0);
    atomic_fetch_add(&exchange->conn->requests, 1);
    atomic_fetch_add(&server->active, 1);

    const char *length = exchange_header(exchange, "Content-Length");
    exchange->chunked = exchange_header(exchange, "Transfer-Encoding") != NULL;
    exchange->announced = length ? strtoull(length, NULL, 10) : 0;
    exchange->has_body = exchange->chunked || exchange->announced > 0;
    exchange_admit(exchange, url, version);
    if (exchange->has_body) {
        atomic_store(&exchange->conn->body_bytes, 0);
        atomic_store(&exchange->conn->body_since_ms, mono_ms());
    }
    return exchange;
}

/* False when the client must be cut off: it goes on sending what nobody wants. */
static bool receive(struct exchange *exchange, struct bytes data)
{
    const struct http_route *route = exchange->request.match.route;
    exchange->received += data.size;
    atomic_fetch_add(&exchange->conn->body_bytes, data.size);
    if (exchange->failed)
        return exchange->received <= MAX_DISCARD;
    if (exchange->ready || !route)
        return exchange->received <= MAX_STRAY_BODY;
    size_t limit = route->body == HTTP_BODY_NONE ? MAX_STRAY_BODY : route->max_body;
    bool kept = exchange->received <= limit;
    if (kept && route->body == HTTP_BODY_BYTES)
        kept = buf_append(&exchange->request.body, data, NULL);
    if (!kept)
        exchange_fail_with(exchange, ERROR_LIMIT, "body_too_large", "the body is too large");
    else if (route->body == HTTP_BODY_FORM &&
             !http_form_feed(exchange->request.form, data, &exchange->err))
        exchange_fail(exchange);
    return true;
}

/* The request is whole: let it be handled. False when the connection is suspended meanwhile:
 * then the exchange is another thread's. */
static bool dispatch(struct exchange *exchange)
{
    struct http_request *request = &exchange->request;
    if (!exchange->failed && request->form && !http_form_end(request->form, &exchange->err))
        exchange_fail(exchange);
    if (exchange->failed) {
        exchange_explain(exchange);
        return true;
    }
    if (!request->match.route->blocking) {
        exchange_handle(exchange);
        return true;
    }
    struct http_server *server = exchange->server;
    exchange_suspend(exchange);
    if (workers_submit(request->match.route->heavy ? server->heavy : server->workers, exchange_work,
                       exchange))
        return false;
    exchange_fail_with(exchange, ERROR_UNAVAILABLE, "server_busy", "too many requests wait");
    exchange_explain(exchange);
    exchange_resume(exchange);
    return false;
}

/* Must the answer go out before the body has come in? The connection cannot be used again then, so
 * only when the client waits for it, or means to send more than we care to throw away. */
static bool answer_early(const struct exchange *exchange)
{
    return exchange->failed && exchange->has_body &&
           (exchange->hangs_up || exchange->announced > MAX_DISCARD ||
            exchange_header(exchange, "Expect") != NULL);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    struct exchange *exchange = *state;
    if (!exchange) {
        *state = exchange = exchange_begin(context, connection, url, method, version);
        if (!answer_early(exchange))
            return MHD_YES;
        exchange_explain(exchange);
        return send_response(exchange);
    }
    if (*size) {
        bool goes_on = receive(exchange, (struct bytes){(const uint8_t *)data, *size});
        *size = 0;
        return goes_on ? MHD_YES : MHD_NO;
    }
    atomic_store(&exchange->conn->body_since_ms, 0);
    if (!exchange->ready && !dispatch(exchange))
        return MHD_YES;
    return send_response(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct http_server *server = context;
    struct exchange *exchange = *state;
    *state = NULL;
    if (!exchange)
        return;
    waiting_forget(exchange);
    (void)atomic_load(&exchange->ready); /* what its worker wrote, also when nothing was sent */
    if (atomic_load(&exchange->conn->too_slow)) {
        log_set_id(exchange->request.id);
        log_info("http.too_slow", LOG_INT("body_bytes", (int64_t)exchange->received));
        log_set_id(NULL);
    }
    server->app.finished(server->app.context, &exchange->request,
                         exchange->queued ? exchange->response.status : STATUS_NOT_SENT,
                         how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    response_dispose(&exchange->response);
    request_dispose(&exchange->request);
    buf_dispose(&exchange->pending);
    atomic_store(&exchange->conn->body_since_ms, 0);
    atomic_store(&exchange->conn->idle_since_ms, mono_ms());
    free(exchange);
    atomic_fetch_sub(&server->active, 1);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct conn *gone = *state;
        if (gone && server->app.closed && atomic_load(&gone->requests) > 0)
            server->app.closed(server->app.context, gone->peer);
        if (gone)
            conn_close(server, gone);
        *state = NULL;
        return;
    }
    struct conn *conn = xcalloc(1, sizeof *conn);
    conn->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    conn->peer.connection = atomic_fetch_add(&server->next_connection, 1) + 1;
    conn->peer.address = address_number(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    conn->idle_since_ms = mono_ms();
    *state = conn;
    conn_open(server, conn);
}

/* Escapes are decoded by http/header.h, segment by segment. */
static size_t keep_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *context, const char *format,
                                                                 va_list values)
{
    char text[256];
    vsnprintf(text, sizeof text, format, values);
    text[strcspn(text, "\r\n")] = '\0';
    log_debug("http.library", LOG_TEXT("text", text));
}

static bool start_daemon(struct http_server *server, struct error *err)
{
    const struct http_options *options = &server->options;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)options->threads, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(options->max_connections + CROWD * options->threads),
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)STALLED_S, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_END);
    return server->daemon || error_set(err, ERROR_INTERNAL, "start the HTTP server");
}

static int value_or(int value, int otherwise)
{
    return value > 0 ? value : otherwise;
}

struct http_server *http_server_start(const struct http_options *options,
                                      const struct http_app *app, struct error *err)
{
    struct http_server *server = xcalloc(1, sizeof *server);
    int cores = get_nprocs();
    server->app = *app;
    server->options = *options;
    server->options.threads = value_or(options->threads, cores < 4 ? (cores > 2 ? cores : 2) : 4);
    server->options.max_connections = conns_limit(value_or(options->max_connections, 4096));
    server->options.header_timeout_ms = value_or(options->header_timeout_ms, 30 * 1000);
    server->options.body_grace_ms = value_or(options->body_grace_ms, 20 * 1000);
    server->spool_dir = xstrdup(options->spool_dir);
    if (getrandom(&server->id_base, sizeof server->id_base, 0) < 0)
        server->id_base = (unsigned)mono_ns();
    server->listen_fd = listen_open(options->host, options->port, &server->port, err);
    if (server->listen_fd < 0) {
        free(server->spool_dir);
        free(server);
        return NULL;
    }
    server->names = (struct guard_names){
        .loopback = listen_is_loopback(server->listen_fd),
        .own = {options->host},
        .allowed = options->allowed_hosts,
    };
    if (!server->names.loopback && gethostname(server->machine, sizeof server->machine - 1) == 0)
        server->names.own[1] = server->machine;
    server->workers = workers_new(value_or(options->workers, 4), MAX_QUEUED);
    server->heavy = workers_new(value_or(options->heavy_workers, 6), MAX_QUEUED);
    bool ticking = ticker_start(server);
    if (ticking && start_daemon(server, err))
        return server;
    if (ticking)
        ticker_stop(server);
    else
        error_set(err, ERROR_INTERNAL, "start a thread");
    workers_free(server->workers);
    workers_free(server->heavy);
    close(server->listen_fd);
    free(server->spool_dir);
    free(server);
    return NULL;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_counts(struct http_server *server, struct http_counts *out)
{
    *out = (struct http_counts){.connections = atomic_load(&server->connections)};
    int busy = 0, queued = 0;
    workers_counts(server->workers, &out->busy_workers, &out->queued);
    workers_counts(server->heavy, &busy, &queued);
    out->busy_workers += busy;
    out->queued += queued;
    pthread_mutex_lock(&server->lock);
    out->waiting = server->waiting_count;
    pthread_mutex_unlock(&server->lock);
}

void http_server_stop(struct http_server *server, int64_t grace_ms)
{
    if (!server)
        return;
    int64_t until_ms = mono_ms() + grace_ms;
    MHD_quiesce_daemon(server->daemon);
    atomic_store(&server->stopping, true);
    waiting_wake_all(server);
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    while (atomic_load(&server->active) > 0 && mono_ms() < until_ms)
        nanosleep(&moment, NULL);
    workers_end(server->heavy);
    workers_end(server->workers); /* afterwards nothing is suspended */
    MHD_stop_daemon(server->daemon);
    workers_free(server->heavy);
    workers_free(server->workers);
    ticker_stop(server);
    close(server->listen_fd);
    free(server->spool_dir);
    free(server);
}
