/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observe.h"

#include <stdio.h>

#include "api/engines.h"
#include "api/metrics.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/observe_image.h"
#include "http/server.h"
#include "jobs/jobs.h"
#include "store/store.h"

static void write_jobs(struct jobs *jobs, struct metrics_writer *writer)
{
    struct jobs_counts counts;
    char labels[64];
    jobs_counts(jobs, &counts);
    for (int i = 0; i < JOB_STATES; i++) {
        snprintf(labels, sizeof labels, "state=\"%s\"", job_state_name((enum job_state)i));
        metrics_value(writer, "vma_jobs", "gauge", "Jobs that are kept, by state.", labels,
                      (double)counts.states[i]);
    }
    double waited =
        counts.oldest_queued_ms ? (double)(wall_ms() - counts.oldest_queued_ms) / 1e3 : 0;
    metrics_value(writer, "vma_queue_depth", "gauge", "Jobs that wait for a worker.", NULL,
                  (double)counts.states[JOB_QUEUED]);
    metrics_value(writer, "vma_queue_capacity", "gauge", "Jobs that may wait or run.", NULL,
                  counts.max_waiting);
    metrics_value(writer, "vma_queue_oldest_seconds", "gauge", "How long the oldest has waited.",
                  NULL, waited);
    metrics_value(writer, "vma_job_retries_total", "counter", "Attempts after the first.", NULL,
                  (double)counts.retries);
    metrics_value(writer, "vma_job_takeovers_total", "counter",
                  "Jobs taken over from a process that died.", NULL, (double)counts.takeovers);
}

static void write_store(struct store *store, struct metrics_writer *writer)
{
    struct store_usage usage;
    char labels[64];
    if (!store_usage(store, &usage, NULL))
        return;
    for (int i = 0; i < STORE_CLASSES; i++) {
        snprintf(labels, sizeof labels, "class=\"%s\"", store_class_name((enum store_class)i));
        metrics_value(writer, "vma_store_bytes", "gauge", "Bytes that are kept.", labels,
                      (double)usage.classes[i].bytes);
    }
    for (int i = 0; i < STORE_CLASSES; i++) {
        snprintf(labels, sizeof labels, "class=\"%s\"", store_class_name((enum store_class)i));
        metrics_value(writer, "vma_store_files", "gauge", "Files that are kept.", labels,
                      (double)usage.classes[i].files);
    }
    metrics_value(writer, "vma_store_free_bytes", "gauge", "Free on that disk.", NULL,
                  (double)usage.free_bytes);
}

static void write_server(struct http_server *server, struct metrics_writer *writer)
{
    struct http_counts counts;
    http_server_counts(server, &counts);
    metrics_value(writer, "vma_http_connections", "gauge", "Open connections.", NULL,
                  counts.connections);
    metrics_value(writer, "vma_http_waiting", "gauge", "Requests that wait without a thread.", NULL,
                  counts.waiting);
    metrics_value(writer, "vma_http_workers_busy", "gauge", "Workers in a handler.", NULL,
                  counts.busy_workers);
    metrics_value(writer, "vma_http_workers_queued", "gauge", "Requests that wait for a worker.",
                  NULL, counts.queued);
}

static void write_all(void *context, struct metrics_writer *writer)
{
    const struct observed *observed = context;
    if (observed->jobs)
        write_jobs(observed->jobs, writer);
    if (observed->store)
        write_store(observed->store, writer);
    if (observed->server)
        write_server(observed->server, writer);
    struct vision *vision = observed->engines ? engines_vision_now(observed->engines) : NULL;
    if (vision)
        observe_image(vision_segment(vision), engines_turns(observed->engines), writer);
}

void observe(struct metrics *metrics, struct observed *observed)
{
    metrics_add_source(metrics, write_all, observed);
}
