/* SPDX-License-Identifier: Apache-2.0 */
/* Figures about jobs, store, server and inference that are asked for when somebody reads /metrics.
 */
#pragma once

struct engines;
struct http_server;
struct jobs;
struct metrics;
struct store;

struct observed {
    struct jobs *jobs;
    struct store *store;
    struct http_server *server;
    struct engines *engines;
};

/* `observed` is borrowed and must outlive the metrics; what it points to may be NULL. */
void observe(struct metrics *metrics, struct observed *observed);
