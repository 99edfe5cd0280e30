/* SPDX-License-Identifier: Apache-2.0 */
/* Ties a channel to descriptors: what comes in goes through the channel, what comes through the
 * channel goes out, as fast as both sides take it. Half-close, resets and back-pressure are passed
 * on as what they are. A stream that carries much yields to those that carry little. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct bridge;
struct channel;
struct error;
struct loop;

enum bridge_kind {
    BRIDGE_SOCKET, /* one descriptor; end is shutdown, a reason is a reset */
    BRIDGE_PIPES,  /* two; end is close; who does not read is left alone   */
};

struct bridge_plan {
    enum bridge_kind kind;
    int in_fd, out_fd;  /* the same for a socket; -1: that direction is not there */
    bool connecting;    /* the socket's connect is on its way */
    bool ends_both;     /* at the end of input, give up the output too (terminals) */
    bool held;          /* nothing is read before bridge_release */
    struct bytes early; /* came before, not yet consumed; borrowed. Only while connecting */
    bool early_end;     /* and then the channel's direction ended. Likewise */
    /* Pipes: out_fd takes nothing any more, as errno value `os` tells; what still comes is dropped.
     */
    void (*deaf)(void *context, int os);
    /* What was read passes through it on its way into the channel: from `in` to `out`, which has
     * room for size + 1 and begins one byte before; returns how much it is then. NULL: as it is.
     * Must not end the bridge. */
    size_t (*filter)(void *context, const uint8_t *in, size_t size, uint8_t *out);
};

/* All is through, or *reason cut it short. The bridge is gone when this returns; the channel is
 * closed. May be NULL. */
typedef void bridge_done(void *context, const struct error *reason);

/* Takes the descriptors and the channel over (and binds it). NULL resets the channel. */
struct bridge *bridge_new(struct loop *loop, struct channel *channel,
                          const struct bridge_plan *plan, bridge_done *done, void *context);
/* Ends it from here; done is not called. A NULL reason is an orderly end as far as possible. */
void bridge_free(struct bridge *bridge, const struct error *reason);
/* Reads what is there now, then ends the channel's direction as if the input had ended. */
void bridge_finish(struct bridge *bridge);
void bridge_release(struct bridge *bridge);
/* Reads nothing any more, and ends the channel's direction. Of two descriptors the first is closed:
 * who writes into it learns that nobody listens. */
void bridge_leave_input(struct bridge *bridge);
