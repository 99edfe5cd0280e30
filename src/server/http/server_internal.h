/* SPDX-License-Identifier: Apache-2.0 */
/* A request under way, and who waits for what.
 *
 *     headers ─► body ─► handler ─────────────────────► ready ─► sent
 *                           │ ▲ (server thread or worker)   ▲
 *                           ▼ │ wake, time, stopping        │
 *                          waiting ──────────────────────────┘
 *
 * One thread at a time has an exchange: the server thread of its connection, or a worker while
 * the connection is suspended. Who wants to wake it does not have it and goes through
 * waiting_wake, under the server's lock. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "http/exchange_internal.h"
#include "http/guard.h"
#include "http/server.h"

struct MHD_Connection;
struct MHD_Daemon;
struct workers;

/* One TCP connection, for the clock that cuts slow clients off. Times on the monotonic clock, 0
 * when not in that state. */
struct conn {
    struct conn *next, **previous;
    struct http_peer peer;
    int fd;
    atomic_llong idle_since_ms; /* no whole request header yet */
    atomic_llong body_since_ms; /* a body is being received */
    atomic_ullong body_bytes;
    atomic_uint requests;
    atomic_bool crowded;  /* one too many: it is told so, and closed */
    atomic_bool too_slow; /* which is why it is cut off */
    bool cut;             /* it is being closed; under the server's lock */
};

enum waiting { WAITING_NOT, WAITING_AGAIN, WAITING_STREAM };

struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct conn *conn;
    struct http_request request;
    struct http_response response;
    uint64_t received, announced; /* bytes of the body */
    bool has_body, chunked;
    bool failed;       /* err says why: the body is thrown away, then explained */
    atomic_bool ready; /* the response can be queued: what its worker wrote is handed over so */
    bool queued;       /* it has been */
    bool hangs_up;     /* the connection is closed after the answer */
    bool handed;       /* the handler has been called, or a worker will */
    struct error err;

    /* Under the server's lock. */
    enum waiting waiting;
    bool woken; /* while it was not waiting */
    int64_t wake_at_ms;
    struct exchange *next, **previous;
    struct http_waker *waker;

    struct buf pending; /* of a stream, not yet sent */
    bool stream_ended, stream_failed;
};

struct http_server {
    struct http_app app;
    struct http_options options;
    char *spool_dir;
    struct MHD_Daemon *daemon;
    int listen_fd, port;
    char machine[256]; /* its name, which is one of these */
    struct guard_names names;
    struct workers *workers, *heavy;
    atomic_bool stopping;
    atomic_int active; /* exchanges */
    atomic_int connections;
    atomic_ullong next_id, next_connection;
    unsigned id_base;

    pthread_mutex_t lock; /* everything below, and the fields of exchanges named above */
    pthread_cond_t changed;
    struct exchange *waiters;
    int waiting_count;
    struct conn *conns;
    bool ticker_ends;
    pthread_t ticker;
};

enum { MAX_STRAY_BODY = 64 * 1024 }; /* where none is expected */

/* Finds out what a request is and whether it is let in; otherwise it has failed. */
void exchange_admit(struct exchange *exchange, const char *url, const char *version);
/* `exchange->err` says why; its body is thrown away. */
void exchange_fail(struct exchange *exchange);
void exchange_fail_with(struct exchange *exchange, enum error_kind kind, const char *code,
                        const char *text);

/* What the adapter does for the others. */
void exchange_note_header(const struct exchange *exchange, struct guard_header *header);
void exchange_suspend(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);

/* Runs the handler, or asks a waiting one again; afterwards the exchange waits or is ready and
 * resumed. On a worker, with the connection suspended. */
void exchange_work(void *exchange);
/* Runs the handler at once, on the server's thread. */
void exchange_handle(struct exchange *exchange);
/* Asks a stream for more; afterwards it waits or its connection is resumed. On a worker. */
void exchange_stream(void *exchange);
/* Puts the explanation of `exchange->err` in place of the response. */
void exchange_explain(struct exchange *exchange);

/* Begins to wait, unless it has been woken meanwhile or the server is stopping: then false. The
 * connection is suspended already. */
bool waiting_begin(struct exchange *exchange, enum waiting kind, int64_t wake_at_ms);
/* The exchange is going away: no waker reaches it any more. */
void waiting_forget(struct exchange *exchange);
void waiting_wake_all(struct http_server *server);

/* How many connections there can be: each may need a file as well, and the rest of the process has
 * its own. */
int conns_limit(int wanted);
/* Where there are too many, the one that has been silent for longest makes room, or when none has
 * been silent for long, this one is told. */
void conn_open(struct http_server *server, struct conn *conn);
void conn_close(struct http_server *server, struct conn *conn);
/* Shuts down those who are slow, and those who have gone without our hearing of it. Under the
 * server's lock. */
void conns_cut_off(struct http_server *server, int64_t now_ms);

/* The thread that keeps the time of those who wait and of those who are slow. */
bool ticker_start(struct http_server *server);
void ticker_stop(struct http_server *server);
