/* SPDX-License-Identifier: Apache-2.0 */
/* Who is well: services report when their state changes, and the answer is ready-made. */
#pragma once

#include <stdbool.h>

enum health_state { HEALTH_DISABLED, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct health;
struct http_shared;

struct health *health_new(const char *version);
void health_free(struct health *health);

/* `service` must be static. A required one that is unhealthy makes the whole unhealthy (503),
 * another one degraded. `detail` is NULL or one line for the operator; copied. */
void health_set(struct health *health, const char *service, bool required, enum health_state state,
                const char *detail);

/* What goes out names files, but not the folders that they are in. */
void health_without_folders(const char *text, char *out, unsigned long size);

/* The response of /health: the same object for a second at a time. To be given back with
 * http_shared_unref. */
struct http_shared *health_response(struct health *health);

/* False with a reason when this process itself cannot work: for /health/ready. */
bool health_ready(struct health *health, char *out_reason, unsigned long size);
