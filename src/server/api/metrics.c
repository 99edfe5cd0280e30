/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "api/endpoint.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

enum { MAX_ROUTES = 64, MAX_STAGES = 16, MAX_SOURCES = 8, BUCKETS = 14, STATUSES = 600 };

/* Seconds, upper bounds; the last is without end. */
static const double bounds[BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                       0.1,    0.25,  0.5,    1,     2.5,  5,     10};

struct histogram {
    atomic_ullong buckets[BUCKETS + 1];
    atomic_ullong sum_ns;
};

struct route {
    const char *pattern;
    struct histogram took[HTTP_OTHER + 1];
    atomic_uint statuses[HTTP_OTHER + 1][STATUSES];
};

struct metrics {
    const char *version;
    int64_t started_ms;
    struct route *routes[MAX_ROUTES];
    pthread_mutex_t lock; /* adding stages and sources */
    struct {
        char name[32];
        struct histogram took;
    } stages[MAX_STAGES];
    atomic_size_t stage_count;
    struct {
        metrics_source *write;
        void *context;
    } sources[MAX_SOURCES];
    atomic_size_t source_count;
};

struct metrics_writer {
    struct buf *out;
    struct error *err;
    const char *last; /* name whose help has been written */
    bool failed;
};

struct metrics *metrics_new(const char *version)
{
    struct metrics *metrics = xcalloc(1, sizeof *metrics);
    metrics->version = version;
    metrics->started_ms = wall_ms();
    pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    for (size_t i = 0; i < MAX_ROUTES; i++)
        free(metrics->routes[i]);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

void metrics_route(struct metrics *metrics, size_t route, const char *pattern)
{
    if (route >= MAX_ROUTES || metrics->routes[route])
        return;
    metrics->routes[route] = xcalloc(1, sizeof *metrics->routes[route]);
    metrics->routes[route]->pattern = pattern;
}

static void observe(struct histogram *histogram, int64_t took_ns)
{
    size_t bucket = 0;
    while (bucket < BUCKETS && (double)took_ns > bounds[bucket] * 1e9)
        bucket++;
    atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, (unsigned long long)took_ns,
                              memory_order_relaxed);
}

void metrics_request(struct metrics *metrics, size_t route, enum http_method method, int status,
                     int64_t took_ns)
{
    if (route >= MAX_ROUTES || !metrics->routes[route] || status < 0 || status >= STATUSES)
        return;
    observe(&metrics->routes[route]->took[method], took_ns);
    atomic_fetch_add_explicit(&metrics->routes[route]->statuses[method][status], 1,
                              memory_order_relaxed);
}

static struct histogram *stage_histogram(struct metrics *metrics, const char *stage)
{
    size_t count = atomic_load(&metrics->stage_count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(metrics->stages[i].name, stage) == 0)
            return &metrics->stages[i].took;
    return NULL;
}

void metrics_stage(void *context, const char *stage, double seconds)
{
    struct metrics *metrics = context;
    struct histogram *histogram = stage_histogram(metrics, stage);
    if (!histogram) {
        pthread_mutex_lock(&metrics->lock);
        histogram = stage_histogram(metrics, stage);
        size_t count = atomic_load(&metrics->stage_count);
        if (!histogram && count < MAX_STAGES) {
            snprintf(metrics->stages[count].name, sizeof metrics->stages[count].name, "%s", stage);
            histogram = &metrics->stages[count].took;
            atomic_store(&metrics->stage_count, count + 1);
        }
        pthread_mutex_unlock(&metrics->lock);
    }
    if (histogram)
        observe(histogram, seconds > 0 ? (int64_t)(seconds * 1e9) : 0);
}

void metrics_add_source(struct metrics *metrics, metrics_source *source, void *context)
{
    pthread_mutex_lock(&metrics->lock);
    size_t count = atomic_load(&metrics->source_count);
    if (count < MAX_SOURCES) {
        metrics->sources[count].write = source;
        metrics->sources[count].context = context;
        atomic_store(&metrics->source_count, count + 1);
    }
    pthread_mutex_unlock(&metrics->lock);
}

#define PRINT(writer, ...)                                                                         \
    do {                                                                                           \
        if (!buf_printf((writer)->out, (writer)->err, __VA_ARGS__))                                \
            (writer)->failed = true;                                                               \
    } while (0)

static void header(struct metrics_writer *writer, const char *name, const char *type,
                   const char *help)
{
    if (writer->last && strcmp(writer->last, name) == 0)
        return;
    writer->last = name;
    PRINT(writer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_value(struct metrics_writer *writer, const char *name, const char *type,
                   const char *help, const char *labels, double value)
{
    header(writer, name, type, help);
    if (labels)
        PRINT(writer, "%s{%s} %.15g\n", name, labels, value);
    else
        PRINT(writer, "%s %.15g\n", name, value);
}

void metrics_unknown(struct metrics_writer *writer, const char *name, const char *type,
                     const char *help)
{
    header(writer, name, type, help);
}

static void write_histogram(struct metrics_writer *writer, const char *name, const char *labels,
                            const struct histogram *histogram)
{
    unsigned long long total = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        total += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        PRINT(writer, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, bounds[i], total);
    }
    total += atomic_load_explicit(&histogram->buckets[BUCKETS], memory_order_relaxed);
    unsigned long long sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
    PRINT(writer, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, total);
    PRINT(writer, "%s_sum{%s} %.9g\n", name, labels, (double)sum_ns / 1e9);
    PRINT(writer, "%s_count{%s} %llu\n", name, labels, total);
}

static bool used(const struct histogram *histogram)
{
    for (size_t i = 0; i <= BUCKETS; i++)
        if (atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed))
            return true;
    return false;
}

static const char count_name[] = "vma_http_requests_total";
static const char took_name[] = "vma_http_request_duration_seconds";

static void write_counts(const struct route *route, enum http_method method,
                         struct metrics_writer *writer)
{
    for (int status = 0; status < STATUSES; status++) {
        unsigned count =
            atomic_load_explicit(&route->statuses[method][status], memory_order_relaxed);
        if (count)
            PRINT(writer, "%s{method=\"%s\",route=\"%s\",status=\"%d\"} %u\n", count_name,
                  http_method_name(method), route->pattern, status, count);
    }
}

static void write_times(const struct route *route, enum http_method method,
                        struct metrics_writer *writer)
{
    char labels[200];
    if (!used(&route->took[method]))
        return;
    snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"", http_method_name(method),
             route->pattern);
    write_histogram(writer, took_name, labels, &route->took[method]);
}

static void write_requests(const struct metrics *metrics, struct metrics_writer *writer)
{
    header(writer, count_name, "counter", "Requests by method, route and status.");
    for (size_t i = 0; i < MAX_ROUTES && metrics->routes[i]; i++)
        for (int method = 0; method <= HTTP_OTHER; method++)
            write_counts(metrics->routes[i], (enum http_method)method, writer);
    header(writer, took_name, "histogram", "From the whole header to the last byte sent.");
    for (size_t i = 0; i < MAX_ROUTES && metrics->routes[i]; i++)
        for (int method = 0; method <= HTTP_OTHER; method++)
            write_times(metrics->routes[i], (enum http_method)method, writer);
}

static void write_stages(const struct metrics *metrics, struct metrics_writer *writer)
{
    static const char name[] = "vma_stage_duration_seconds";
    char labels[64];
    size_t count = atomic_load(&metrics->stage_count);
    if (count)
        header(writer, name, "histogram", "Stages of a message.");
    for (size_t i = 0; i < count; i++) {
        snprintf(labels, sizeof labels, "stage=\"%s\"", metrics->stages[i].name);
        write_histogram(writer, name, labels, &metrics->stages[i].took);
    }
}

static double resident_bytes(void)
{
    AUTO(buf_dispose) struct buf text = BUF(4096);
    if (!file_read("/proc/self/statm", &text, NULL))
        return 0;
    const char *second = strchr(buf_string(&text), ' '); /* all pages, then those in memory */
    unsigned long pages = second ? strtoul(second, NULL, 10) : 0;
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the folder itself */
    for (; folder && readdir(folder); count++)
        ;
    if (folder)
        closedir(folder);
    return count > 0 ? count : 0;
}

static void write_process(const struct metrics *metrics, struct metrics_writer *writer)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    char labels[80];
    snprintf(labels, sizeof labels, "version=\"%s\",compiler=\"%d.%d\"", metrics->version, __GNUC__,
             __GNUC_MINOR__);
    metrics_value(writer, "vma_build_info", "gauge", "Which program this is; always 1.", labels, 1);
    metrics_value(writer, "process_resident_memory_bytes", "gauge", "Memory in use.", NULL,
                  resident_bytes());
    metrics_value(writer, "process_cpu_seconds_total", "counter", "Processor time used.", NULL,
                  cpu);
    metrics_value(writer, "process_open_fds", "gauge", "Open descriptors.", NULL, open_files());
    metrics_value(writer, "process_start_time_seconds", "gauge", "When the process started.", NULL,
                  (double)metrics->started_ms / 1e3);
}

bool metrics_write(struct metrics *metrics, struct buf *out, struct error *err)
{
    struct metrics_writer writer = {.out = out, .err = err};
    write_process(metrics, &writer);
    write_requests(metrics, &writer);
    write_stages(metrics, &writer);
    size_t count = atomic_load(&metrics->source_count);
    for (size_t i = 0; i < count; i++)
        metrics->sources[i].write(metrics->sources[i].context, &writer);
    return !writer.failed;
}

/* GET /metrics */
bool api_metrics(struct api *api, const struct http_request *request,
                 struct http_response *response, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(4 * 1024 * 1024);
    if (!api->show_metrics && !http_request_is_local(request)) {
        error_set(err, ERROR_DENIED, "asked for from another machine");
        return error_about(err, NULL, "metrics_denied");
    }
    if (!metrics_write(api->metrics, &text, err))
        return false;
    http_response_header(response, "Cache-Control", "no-store");
    http_response_take(response, "text/plain; version=0.0.4; charset=utf-8", &text);
    return true;
}
