/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus reads: counters and histograms that any thread adds to without a lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "http/router.h"

struct buf;
struct error;

struct metrics;
struct metrics *metrics_new(const char *version);
void metrics_free(struct metrics *metrics);

/* Names a route before the first request to it; at most 64. */
void metrics_route(struct metrics *metrics, size_t route, const char *pattern);
void metrics_request(struct metrics *metrics, size_t route, enum http_method method, int status,
                     int64_t took_ns);
/* A stage of a message (struct pipeline_options.observe). */
void metrics_stage(void *metrics, const char *stage, double seconds);

/* Values that are asked for when somebody reads. `type` is "gauge" or "counter"; labels is NULL
 * or `state="queued"`. Rows of one name must follow each other. */
struct metrics_writer;
void metrics_value(struct metrics_writer *writer, const char *name, const char *type,
                   const char *help, const char *labels, double value);
/* Says that there is such a figure, where it is not known. */
void metrics_unknown(struct metrics_writer *writer, const char *name, const char *type,
                     const char *help);
typedef void metrics_source(void *context, struct metrics_writer *writer);
void metrics_add_source(struct metrics *metrics, metrics_source *source, void *context);

MUST_USE bool metrics_write(struct metrics *metrics, struct buf *out, struct error *err);
