/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side: serves the channels "sync" and "sync.bulk".
 *
 * The first asks with JSON {"token", "root"}, the second with the token that joins it to the
 * first. `root` may begin with "~/"; a relative one is in the home. Two syncs into the same
 * folder, or one inside the other's, are refused. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

struct jv;
struct loop;
struct mux;
struct sync_service;

/* `home` is for relative roots, `state` for what is remembered (may be NULL). */
MUST_USE struct sync_service *sync_service_new(struct loop *loop, struct mux *mux, const char *home,
                                               const char *state);
/* Before the mux is freed. */
void sync_service_free(struct sync_service *service);
/* The folders that are kept in sync, as texts for a JSON array. */
void sync_service_tell(const struct sync_service *service, struct jv *out);
