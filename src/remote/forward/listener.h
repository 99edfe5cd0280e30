/* SPDX-License-Identifier: Apache-2.0 */
/* A listening place on the loop: hands out connections. */
#pragma once

#include "base/attributes.h"
#include "forward/forward.h"

struct error;
struct listener;
struct loop;

/* The descriptor is the callback's. */
typedef void listener_accepted(void *context, int fd);

MUST_USE struct listener *listener_new(struct loop *loop, const struct forward_place *place,
                                       listener_accepted *accepted, void *context,
                                       struct error *err);
uint16_t listener_port(const struct listener *listener);
void listener_free(struct listener *listener);
