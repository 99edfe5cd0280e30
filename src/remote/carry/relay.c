/* SPDX-License-Identifier: Apache-2.0 */
#include "carry/relay.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/mux.h"

struct relay;

struct side {
    struct relay *relay;
    struct channel *channel; /* NULL once it is closed */
    struct side *other;
    size_t owed; /* bytes taken from here whose credit waits for room there */
};

struct relay {
    struct side sides[2];
    relay_done *done;
    void *context;
};

static void relay_release(struct relay *relay)
{
    if (relay->sides[0].channel || relay->sides[1].channel)
        return;
    if (relay->done)
        relay->done(relay->context);
    free(relay);
}

static void on_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct side *side = context;
    struct channel *other = side->other->channel;
    if (!other) {
        channel_consumed(channel, bytes.size);
        return;
    }
    channel_write(other, bytes);
    if (channel_full(other))
        side->owed += bytes.size;
    else
        channel_consumed(channel, bytes.size);
}

static void on_end(void *context, struct channel *channel)
{
    struct side *side = context;
    (void)channel;
    if (side->other->channel)
        channel_end(side->other->channel);
}

/* There is room in this one: what the other sent has its credit back. */
static void on_room(void *context, struct channel *channel)
{
    struct side *side = context;
    struct side *other = side->other;
    size_t owed = other->owed;
    (void)channel;
    other->owed = 0;
    if (owed && other->channel)
        channel_consumed(other->channel, owed);
}

static void on_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct side *side = context;
    struct relay *relay = side->relay;
    (void)channel;
    side->channel = NULL;
    if (reason && side->other->channel) {
        struct channel *other = side->other->channel;
        side->other->channel = NULL;
        channel_reset(other, reason);
    }
    relay_release(relay);
}

static const struct channel_events events = {on_data, on_end, on_room, on_closed};

void relay_channel(struct channel *channel, struct mux *to, struct bytes request, relay_done *done,
                   void *context)
{
    struct relay *relay = xcalloc(1, sizeof *relay);
    relay->done = done;
    relay->context = context;
    for (int i = 0; i < 2; i++)
        relay->sides[i] = (struct side){.relay = relay, .other = &relay->sides[1 - i]};
    relay->sides[0].channel = channel;
    channel_bind(channel, &events, &relay->sides[0]);
    relay->sides[1].channel =
        channel_open(to, channel_service(channel), channel_priority_get(channel), request, &events,
                     &relay->sides[1]);
}

static bool on_open(void *context, struct channel *channel, struct bytes request, struct error *err)
{
    (void)err;
    relay_channel(channel, context, request, NULL, NULL);
    return true;
}

void relay_service(struct mux *from, const char *service, struct mux *to)
{
    mux_serve(from, service, on_open, to);
}
