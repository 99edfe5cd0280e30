/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "carry/bridge.h"
#include "carry/relay.h"
#include "forward/dial.h"
#include "forward/forward.h"
#include "forward/listener.h"
#include "forward/names.h"
#include "io/loop.h"
#include "wire/message.h"
#include "wire/mux.h"

struct forward {
    struct forward_client *client; /* NULL once removed; connections may go on */
    struct forward *next;
    struct forward_rule rule;
    enum forward_state state;
    struct error why;
    uint16_t port;
    uint32_t id;
    struct listener *listener; /* here, or … */
    struct channel *channel;   /* … there */
    struct later *tell;
    forward_changed *changed;
    void *context;
    unsigned connections;
    uint64_t total;
};

struct forward_client {
    struct loop *loop;
    struct mux *mux;
    struct forward *forwards;
    struct forward_share *shares;
    uint32_t next_id; /* of forwards and what was lent */
};

static void forward_release(struct forward *forward)
{
    if (!forward->client && forward->connections == 0)
        free(forward);
}

static void connection_done(void *context, const struct error *reason)
{
    struct forward *forward = context;
    (void)reason;
    forward->connections--;
    forward_release(forward);
}

static void connection_new(struct forward *forward, struct channel *channel, int fd)
{
    struct bridge_plan plan = {.kind = BRIDGE_SOCKET, .in_fd = fd, .out_fd = fd};
    forward->connections++;
    forward->total++;
    if (!bridge_new(forward->client->loop, channel, &plan, connection_done, forward))
        forward->connections--;
}

static void on_accepted(void *context, int fd)
{
    struct forward *forward = context;
    char target[FORWARD_TEXT_MAX];
    forward_place_text(&forward->rule.target, target);
    struct channel *channel = channel_open(forward->client->mux, FORWARD_DIAL, CHANNEL_INTERACTIVE,
                                           bytes_of(target), NULL, NULL);
    connection_new(forward, channel, fd);
}

static bool lent_accepted(struct forward_client *client, struct channel *channel, uint32_t id);

/* The agent may only ask for what this side has set up. */
static bool open_accepted(void *context, struct channel *channel, struct bytes request,
                          struct error *err)
{
    struct forward_client *client = context;
    uint32_t id = request.size == 4 ? read_u32(request.data) : 0;
    struct forward *forward = client->forwards;
    while (forward && (forward->id != id || !forward->rule.reverse))
        forward = forward->next;
    if (!forward)
        return lent_accepted(client, channel, id) ||
               error_set(err, ERROR_DENIED, "no such forward");
    forward->connections++;
    forward->total++;
    if (dial(client->loop, channel, &forward->rule.target, connection_done, forward, err))
        return true;
    forward->connections--;
    return false;
}

static void tell(void *context)
{
    struct forward *forward = context;
    if (forward->changed)
        forward->changed(forward->context, forward);
}

static void become(struct forward *forward, enum forward_state state, const struct error *why)
{
    forward->state = state;
    if (why)
        forward->why = *why;
    later_ask(forward->tell); /* never from inside forward_add */
}

static void remote_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct forward *forward = context;
    struct message message;
    size_t used;
    channel_consumed(channel, bytes.size);
    if (message_decode(bytes, 16, &message, &used, NULL) == MESSAGE_READY &&
        message.type == FORWARD_LISTENS && message.payload.size == 2) {
        forward->port = read_u16(message.payload.data);
        become(forward, FORWARD_LISTENING, NULL);
    }
}

static void remote_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct forward *forward = context;
    (void)channel;
    forward->channel = NULL;
    become(forward, FORWARD_FAILED, reason);
}

static const struct channel_events remote_events = {.data = remote_data, .closed = remote_closed};

static void listen_here(struct forward *forward)
{
    struct error err;
    forward->listener =
        listener_new(forward->client->loop, &forward->rule.listen, on_accepted, forward, &err);
    if (!forward->listener) {
        become(forward, FORWARD_FAILED, &err);
        return;
    }
    forward->port = listener_port(forward->listener);
    become(forward, FORWARD_LISTENING, NULL);
}

static void listen_there(struct forward *forward)
{
    uint8_t request[4 + FORWARD_TEXT_MAX];
    char *place = (char *)request + 4;
    write_u32(request, forward->id);
    forward_place_text(&forward->rule.listen, place);
    forward->channel =
        channel_open(forward->client->mux, FORWARD_LISTEN, CHANNEL_CONTROL,
                     (struct bytes){request, 4 + strlen(place)}, &remote_events, forward);
}

struct forward *forward_add(struct forward_client *client, const struct forward_rule *rule,
                            forward_changed *changed, void *context)
{
    struct forward *forward = xcalloc(1, sizeof *forward);
    forward->client = client;
    forward->rule = *rule;
    forward->id = ++client->next_id;
    forward->changed = changed;
    forward->context = context;
    forward->tell = later_new(client->loop, tell, forward);
    forward->next = client->forwards;
    client->forwards = forward;
    if (rule->reverse)
        listen_there(forward);
    else
        listen_here(forward);
    return forward;
}

void forward_remove(struct forward *forward)
{
    struct forward **at = &forward->client->forwards;
    while (*at != forward) /* NOLINT(clang-analyzer-core.NullDereference): it is in there */
        at = &(*at)->next;
    *at = forward->next;
    forward->client = NULL;
    listener_free(forward->listener);
    if (forward->channel)
        channel_reset(forward->channel, NULL);
    later_free(forward->tell);
    forward_release(forward);
}

void forward_look(const struct forward *forward, struct forward_info *out)
{
    *out = (struct forward_info){
        .rule = forward->rule,
        .state = forward->state,
        .port = forward->port,
        .connections = forward->connections,
        .total = forward->total,
        .why = forward->state == FORWARD_FAILED ? &forward->why : NULL,
    };
}

/* --- for other sessions --------------------------------------------------------------------- */

/* A listener there that belongs to a guest: its connections have our number on our session and the
 * guest's own on the guest's. */
struct lent {
    struct forward_share *share;
    struct lent *next;
    uint32_t id, guest_id;
};

struct forward_share {
    struct forward_client *client;
    struct forward_share *next;
    struct mux *guest;
    struct lent *lent;
};

static void lent_done(void *context)
{
    struct lent *lent = context;
    struct lent **at = &lent->share->lent;
    while (*at != lent) /* NOLINT(clang-analyzer-core.NullDereference): it is in there */
        at = &(*at)->next;
    *at = lent->next;
    free(lent);
}

static bool open_lent(void *context, struct channel *channel, struct bytes request,
                      struct error *err)
{
    struct forward_share *share = context;
    uint8_t ours[4 + FORWARD_TEXT_MAX];
    if (request.size < 4 || request.size > sizeof ours)
        return error_set(err, ERROR_INVALID, "a listen request of %zu bytes", request.size);
    struct lent *lent = xcalloc(1, sizeof *lent);
    *lent = (struct lent){share, share->lent, ++share->client->next_id, read_u32(request.data)};
    share->lent = lent;
    memcpy(ours, request.data, request.size);
    write_u32(ours, lent->id);
    relay_channel(channel, share->client->mux, (struct bytes){ours, request.size}, lent_done, lent);
    return true;
}

static bool lent_accepted(struct forward_client *client, struct channel *channel, uint32_t id)
{
    for (struct forward_share *share = client->shares; share; share = share->next) {
        for (struct lent *lent = share->lent; lent; lent = lent->next) {
            if (lent->id != id)
                continue;
            uint8_t request[4];
            write_u32(request, lent->guest_id);
            relay_channel(channel, share->guest, (struct bytes){request, sizeof request}, NULL,
                          NULL);
            return true;
        }
    }
    return false;
}

struct forward_share *forward_share_new(struct forward_client *client, struct mux *guest)
{
    struct forward_share *share = xcalloc(1, sizeof *share);
    *share = (struct forward_share){client, client->shares, guest, NULL};
    client->shares = share;
    mux_serve(guest, FORWARD_LISTEN, open_lent, share);
    return share;
}

void forward_share_free(struct forward_share *share)
{
    if (!share)
        return;
    struct forward_share **at = &share->client->shares;
    while (*at != share) /* NOLINT(clang-analyzer-core.NullDereference): it is in there */
        at = &(*at)->next;
    *at = share->next;
    assert(!share->lent); /* the guest's mux took its channels along */
    free(share);
}

struct forward_client *forward_client_new(struct loop *loop, struct mux *mux)
{
    struct forward_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->mux = mux;
    mux_serve(mux, FORWARD_ACCEPTED, open_accepted, client);
    return client;
}

void forward_client_free(struct forward_client *client)
{
    if (!client)
        return;
    while (client->forwards)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
        forward_remove(client->forwards);
    free(client);
}
