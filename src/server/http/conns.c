/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: how many there are, and which of them have to go. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/server_internal.h"

enum {
    BODY_BYTES_PER_MS = 8,
    KEEP_ALIVE_FACTOR = 2,
    SILENT_MS = 1000, /* after which a connection may have to make room */
    OTHER_FILES = 192,
    LEAST = 16,
};

int conns_limit(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    int64_t possible = ((int64_t)limit.rlim_cur - OTHER_FILES) / 2;
    if (possible >= wanted)
        return wanted;
    int taken = possible < LEAST ? LEAST : (int)possible;
    taken = taken < wanted ? taken : wanted;
    log_warn("http.few_files", LOG_INT("open_files", (int64_t)limit.rlim_cur),
             LOG_INT("connections", taken), LOG_INT("wanted", wanted));
    return taken;
}

/* Shutting the socket down makes its server thread close the connection. */
static void cut(struct conn *conn)
{
    conn->cut = true;
    shutdown(conn->fd, SHUT_RDWR);
}

/* Under the lock: cuts off the one that has been silent for longest. False when none has. */
static bool make_room(struct http_server *server, int64_t now_ms)
{
    struct conn *oldest = NULL;
    int64_t since_ms = now_ms - SILENT_MS;
    for (struct conn *conn = server->conns; conn; conn = conn->next) {
        int64_t idle_since_ms = atomic_load(&conn->idle_since_ms);
        if (conn->cut || !idle_since_ms || idle_since_ms > since_ms)
            continue;
        since_ms = idle_since_ms;
        oldest = conn;
    }
    if (oldest)
        cut(oldest);
    return oldest != NULL;
}

void conn_open(struct http_server *server, struct conn *conn)
{
    int count = atomic_fetch_add(&server->connections, 1) + 1;
    pthread_mutex_lock(&server->lock);
    if (count > server->options.max_connections && !make_room(server, mono_ms()))
        atomic_store(&conn->crowded, true);
    conn->next = server->conns;
    conn->previous = &server->conns;
    if (server->conns)
        server->conns->previous = &conn->next;
    else
        pthread_cond_signal(&server->changed);
    server->conns = conn;
    pthread_mutex_unlock(&server->lock);
}

void conn_close(struct http_server *server, struct conn *conn)
{
    pthread_mutex_lock(&server->lock);
    *conn->previous = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_sub(&server->connections, 1);
    free(conn);
}

static bool too_slow(const struct http_server *server, const struct conn *conn, int64_t now_ms)
{
    int64_t idle_since = atomic_load(&conn->idle_since_ms);
    int64_t body_since = atomic_load(&conn->body_since_ms);
    int64_t idle_ms = server->options.header_timeout_ms;
    if (atomic_load(&conn->crowded) && idle_ms > SILENT_MS)
        idle_ms = SILENT_MS;
    if (atomic_load(&conn->requests) > 0)
        idle_ms *= KEEP_ALIVE_FACTOR;
    if (idle_since && now_ms - idle_since > idle_ms)
        return true;
    int64_t earned_ms = (int64_t)(atomic_load(&conn->body_bytes) / BODY_BYTES_PER_MS);
    return body_since && now_ms - body_since > server->options.body_grace_ms + earned_ms;
}

/* Has the client gone while we wait for it? The library learns of an end that arrives together
 * with the last data only when something else happens on the socket. */
static bool hung_up(const struct conn *conn)
{
    uint8_t byte;
    if (!atomic_load(&conn->idle_since_ms) && !atomic_load(&conn->body_since_ms))
        return false; /* it waits for us, perhaps having said that it is done */
    ssize_t size = recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

void conns_cut_off(struct http_server *server, int64_t now_ms)
{
    for (struct conn *conn = server->conns; conn; conn = conn->next) {
        bool slow = !conn->cut && too_slow(server, conn, now_ms);
        if (slow)
            atomic_store(&conn->too_slow, true);
        if (slow || hung_up(conn))
            cut(conn);
    }
}
