/* SPDX-License-Identifier: Apache-2.0 */
/* Hands the channels of one session on to another, as they are: bytes, ends, reasons and
 * back-pressure. So several processes share one link. */
#pragma once

struct mux;

/* Opens of `service` on `from` become opens of the same on `to`, which must outlive `from`. */
void relay_service(struct mux *from, const char *service, struct mux *to);
