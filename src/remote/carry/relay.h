/* SPDX-License-Identifier: Apache-2.0 */
/* Hands the channels of one session on to another, as they are: bytes, ends, reasons and
 * back-pressure. So several processes share one link. */
#pragma once

#include "base/bytes.h"

struct channel;
struct mux;

/* Opens of `service` on `from` become opens of the same on `to`, which must outlive `from`. */
void relay_service(struct mux *from, const char *service, struct mux *to);

/* One channel that was opened here, handed on as an open of its service on `to`; `done` (may be
 * NULL) is called when both have closed. */
typedef void relay_done(void *context);
void relay_channel(struct channel *channel, struct mux *to, struct bytes request, relay_done *done,
                   void *context);
