/* SPDX-License-Identifier: Apache-2.0 */
/* Carries a session over two descriptors for as long as they last: reads into mux_receive, writes
 * what mux_output has, keeps mux_step on time. One carrier is one stream; a cut frees it and the
 * next stream gets a new one. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct carrier;
struct error;
struct loop;
struct mux;

/* The stream is of no use any more: its end, an error, silence, or a peer that broke the
 * protocol (then *broken). The carrier is detached from the mux and may be freed here. */
typedef void carrier_closed(void *context, const struct error *reason, bool broken);

/* Reads from fds[0], writes to fds[1]; they may be the same. Both are its own, whatever comes of
 * it. Attaches the mux. */
MUST_USE struct carrier *carrier_new(struct loop *loop, struct mux *mux, const int fds[2],
                                     carrier_closed *closed, void *context, struct error *err);
void carrier_free(struct carrier *carrier);

/* For mux_events.output. */
void carrier_output(struct carrier *carrier);
/* The network changed: a sign of life is asked for at once. */
void carrier_probe(struct carrier *carrier);
