/* SPDX-License-Identifier: Apache-2.0 */
/* Connects a channel to a place. A name that is neither an address nor in /etc/hosts is looked up
 * by the system's own program (getent), which knows DNS and whatever else is set up there; what
 * the channel brings meanwhile waits. */
#pragma once

#include "base/attributes.h"
#include "carry/bridge.h"

struct channel;
struct error;
struct forward_place;
struct loop;

/* False with *err when it is clear at once that it cannot be; then the channel is not touched and
 * `done` is not called. */
MUST_USE bool dial(struct loop *loop, struct channel *channel, const struct forward_place *place,
                   bridge_done *done, void *context, struct error *err);
