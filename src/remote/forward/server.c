/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "carry/bridge.h"
#include "forward/dial.h"
#include "forward/forward.h"
#include "forward/listener.h"
#include "forward/names.h"
#include "forward/sockets.h"
#include "wire/message.h"
#include "wire/mux.h"

struct remote_listener {
    struct forward_server *server;
    struct remote_listener *next;
    struct channel *channel;
    struct listener *listener;
    uint32_t id; /* the client's name for it */
};

struct forward_server {
    struct loop *loop;
    struct mux *mux;
    struct remote_listener *listeners;
};

static bool place_of(struct bytes text, struct forward_place *out, struct error *err)
{
    char copy[FORWARD_TEXT_MAX];
    if (text.size >= sizeof copy || memchr(text.data, 0, text.size))
        return error_set(err, ERROR_INVALID, "an address of %zu bytes", text.size);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return forward_place_parse(copy, out, err);
}

static bool open_dial(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct forward_server *server = context;
    struct forward_place place;
    return place_of(request, &place, err) && dial(server->loop, channel, &place, NULL, NULL, err);
}

static void remote_listener_free(struct remote_listener *listener)
{
    struct remote_listener **at = &listener->server->listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    if (listener->channel)
        channel_reset(listener->channel, NULL);
    listener_free(listener->listener);
    free(listener);
}

static void listen_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct remote_listener *listener = context;
    (void)channel;
    (void)reason;
    listener->channel = NULL;
    remote_listener_free(listener);
}

static const struct channel_events listen_events = {.closed = listen_closed};

static void on_accepted(void *context, int fd)
{
    struct remote_listener *listener = context;
    uint8_t request[4];
    write_u32(request, listener->id);
    struct channel *channel =
        channel_open(listener->server->mux, FORWARD_ACCEPTED, CHANNEL_INTERACTIVE,
                     (struct bytes){request, sizeof request}, NULL, NULL);
    struct bridge_plan plan = {.kind = BRIDGE_SOCKET, .in_fd = fd, .out_fd = fd};
    bridge_new(listener->server->loop, channel, &plan, NULL, NULL);
}

static bool open_listen(void *context, struct channel *channel, struct bytes request,
                        struct error *err)
{
    struct forward_server *server = context;
    struct forward_place place;
    if (request.size < 4)
        return error_set(err, ERROR_INVALID, "a listen request of %zu bytes", request.size);
    if (!place_of((struct bytes){request.data + 4, request.size - 4}, &place, err))
        return false;
    struct remote_listener *listener = xcalloc(1, sizeof *listener);
    listener->server = server;
    listener->id = read_u32(request.data);
    listener->listener = listener_new(server->loop, &place, on_accepted, listener, err);
    if (!listener->listener) {
        free(listener);
        return false;
    }
    listener->channel = channel;
    listener->next = server->listeners;
    server->listeners = listener;
    channel_bind(channel, &listen_events, listener);
    uint8_t port[2];
    write_u16(port, listener_port(listener->listener));
    message_write(channel, FORWARD_LISTENS, (struct bytes){port, sizeof port});
    return true;
}

struct forward_server *forward_server_new(struct loop *loop, struct mux *mux)
{
    struct forward_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->mux = mux;
    mux_serve(mux, FORWARD_DIAL, open_dial, server);
    mux_serve(mux, FORWARD_LISTEN, open_listen, server);
    return server;
}

unsigned forward_server_count(const struct forward_server *server)
{
    unsigned count = 0;
    for (const struct remote_listener *at = server->listeners; at; at = at->next)
        count++;
    return count;
}

void forward_server_free(struct forward_server *server)
{
    if (!server)
        return;
    while (server->listeners)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
        remote_listener_free(server->listeners);
    free(server);
}
