/* SPDX-License-Identifier: Apache-2.0 */
/* vmad [serve]: the application. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "api/engines.h"
#include "api/health.h"
#include "api/metrics.h"
#include "api/presets.h"
#include "base/command.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/data_dir.h"
#include "daemon/observe.h"
#include "http/files.h"
#include "http/guard.h"
#include "http/server.h"
#include "image/remote.h"
#include "infer/runtime.h"
#include "jobs/jobs.h"
#include "pipeline/retention.h"
#include "store/store.h"

struct options {
    const char *models, *image_model, *image_device, *image_service, *onnxruntime, *inference,
        *visible_gpus;
    int64_t image_threads, image_streams, image_queue, image_memory_bytes;
    const char *host, *allowed_hosts, *data, *role, *web, *environment, *log_level, *log_format,
        *metrics;
    int64_t port, wait_ms, grace_ms, queue, heartbeat_ms, header_ms, body_ms, connections;
    int64_t keep_uploads_ms, keep_intermediate_ms, keep_videos_ms, reserve_bytes;
    bool trust_forwarded;
};

enum {
    STOP_GRACE_MS = 3000,
    SHORTEST_KEEP_MS = 3600 * 1000,
    /* For heavy work beside photos, of which each that is worked on or waits keeps one (see
     * engines_turns), and for sending those away that are too many. */
    OTHER_WORKERS = 6,
};

static const char *const roles[] = {"all",     "gateway", "worker", "voice", "image",
                                    "prosody", "music",   "video",  NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", "off", NULL};
static const char *const log_formats[] = {"auto", "json", "text", NULL};
static const char *const audiences[] = {"loopback", "network", NULL};
static const char *const places[] = {"auto", "child", "inside", NULL};
static const char *const environments[] = {"development", "production", NULL};

static const struct option rows[] = {
    OPTION_INT('p', "port", "N", port,
               "listen on this port; 0 takes any free one [55433, or the role's own]",
               .environment = "VMAD_PORT", .min = 0, .max = 65535),
    OPTION_TEXT(0, "host", "ADDRESS", host, "listen on this address [127.0.0.1]",
                .environment = "VMAD_HOST"),
    OPTION_TEXT(0, "allowed-host", "NAMES", allowed_hosts,
                "answer to these names as well, as in example.org,*.example.net; * is every name",
                .environment = "VMAD_ALLOWED_HOSTS"),
    OPTION_TEXT('d', "data", "DIR", data, "keep jobs, uploads and videos here [./data]",
                .environment = "STORAGE_ROOT_PATH"),
    OPTION_CHOICE(0, "role", "ROLE", role, "offer only a part of the service [all]",
                  .choices = roles, .environment = "VMAD_ROLE"),
    OPTION_TEXT(0, "web", "DIR", web, "serve the page from here, not from the installation"),
    OPTION_DURATION(0, "wait", "TIME", wait_ms,
                    "answer 202 when a message takes longer than this [60s]",
                    .environment = "VMAD_WAIT"),
    OPTION_DURATION(0, "grace", "TIME", grace_ms,
                    "on SIGTERM, let running messages finish for this long [10s]",
                    .environment = "VMAD_GRACE"),
    OPTION_DURATION(0, "heartbeat", "TIME", heartbeat_ms,
                    "write to silent event streams this often [15s]",
                    .environment = "VMAD_HEARTBEAT"),
    OPTION_DURATION(0, "header-timeout", "TIME", header_ms,
                    "cut clients off that take longer to send a request's header [30s]",
                    .environment = "VMAD_HEADER_TIMEOUT"),
    OPTION_DURATION(0, "body-grace", "TIME", body_ms,
                    "cut clients off that send slower than 8 kB/s after this [20s]",
                    .environment = "VMAD_BODY_GRACE"),
    OPTION_INT(0, "connections", "N", connections, "serve this many connections at once [4096]",
               .environment = "VMAD_CONNECTIONS", .min = 1, .max = 60000),
    OPTION_FLAG(0, "trust-forwarded", trust_forwarded,
                "tell clients apart by X-Forwarded-For: only behind a proxy that writes it",
                .environment = "VMAD_TRUST_FORWARDED"),
    OPTION_CHOICE(0, "metrics", "WHERE", metrics,
                  "answer /metrics on this machine only, or to everybody who reaches it [loopback]",
                  .choices = audiences, .environment = "VMAD_METRICS"),
    OPTION_INT(0, "queue", "N", queue, "let this many messages wait or run [64]",
               .environment = "VMAD_QUEUE", .min = 1, .max = 100000),
    OPTION_DURATION(0, "keep-uploads", "TIME", keep_uploads_ms, "keep photos this long [7d]",
                    .environment = "VMAD_KEEP_UPLOADS"),
    OPTION_DURATION(0, "keep-intermediate", "TIME", keep_intermediate_ms,
                    "keep what can be made again this long [3d]",
                    .environment = "VMAD_KEEP_INTERMEDIATE"),
    OPTION_DURATION(0, "keep-videos", "TIME", keep_videos_ms, "keep videos this long [30d]",
                    .environment = "VMAD_KEEP_VIDEOS"),
    OPTION_SIZE(0, "reserve", "SIZE", reserve_bytes,
                "leave this much of the disk free; 0B takes all of it [256MB]",
                .environment = "VMAD_RESERVE"),
    OPTION_TEXT(0, "models", "DIR", models, "installed models, see vmad models [DATA/models]",
                .environment = "VMAD_MODELS"),
    OPTION_TEXT(0, "image-service", "URL", image_service,
                "let the vmad there cut people out (one with --role image)",
                .environment = "IMAGE_SERVICE_URL"),
    OPTION_TEXT(0, "image-model", "NAME[@VERSION]", image_model,
                "cut people out with this model [the one in use]", .environment = "IMAGE_MODEL"),
    OPTION_TEXT(0, "image-device", "DEVICE", image_device,
                "run it on cpu, cuda or cuda:N, and on the CPU when that fails [cpu]",
                .environment = "IMAGE_DEVICE"),
    OPTION_INT(0, "image-threads", "N", image_threads,
               "threads for one picture [as vmad tune found, or 1]", .environment = "IMAGE_THREADS",
               .min = 1, .max = 256),
    OPTION_INT(0, "image-streams", "N", image_streams,
               "pictures at the same time [as vmad tune found, or 2]",
               .environment = "IMAGE_STREAMS", .min = 1, .max = 64),
    OPTION_INT(0, "image-queue", "N", image_queue, "let this many pictures wait [16]",
               .environment = "IMAGE_QUEUE", .min = 1, .max = 1000),
    OPTION_SIZE(0, "image-memory", "SIZE", image_memory_bytes,
                "let models take this much of their device's memory [no limit]",
                .environment = "IMAGE_MEMORY"),
    OPTION_CHOICE(0, "inference", "PLACE", inference,
                  "run models in a child process, inside this one, or as suits each [auto]",
                  .choices = places, .environment = "INFERENCE_PROCESS"),
    OPTION_TEXT(0, "onnxruntime", "FILE", onnxruntime,
                "load this libonnxruntime.so [beside the program, then the system's]",
                .environment = "ONNXRUNTIME_LIB"),
    OPTION_TEXT(0, NULL, "LIST", visible_gpus, "which cards there are, in which order",
                .environment = "CUDA_VISIBLE_DEVICES"),
    OPTION_CHOICE(0, "environment", "NAME", environment,
                  "production writes JSON logs even on a terminal [development]",
                  .choices = environments, .environment = "ENVIRONMENT"),
    OPTION_CHOICE(0, "log-level", "LEVEL", log_level, "log nothing below this [info]",
                  .choices = log_levels, .environment = "LOG_LEVEL"),
    OPTION_CHOICE(0, "log-format", "FORMAT", log_format,
                  "auto is text on a terminal and JSON elsewhere [auto]", .choices = log_formats,
                  .environment = "LOG_FORMAT"),
    OPTION_END,
};

/* What runs, in the order in which it is started; stopped the other way round. */
struct running {
    const struct daemon *daemon;
    const struct options *options;
    struct data_dir dir;
    struct health *health;
    struct metrics *metrics;
    struct store *store;
    struct jobs *jobs;
    struct retention *retention;
    struct engines *engines;
    struct presets *presets;
    struct http_tree *page;
    struct observed observed;
    struct api api;
    struct http_app app;
    struct http_server *server;
};

static unsigned roles_of(const char *name)
{
    static const unsigned bits[] = {API_ALL_ROLES, API_GATEWAY, API_WORKER, API_VOICE,
                                    API_IMAGE,     API_PROSODY, API_MUSIC,  API_VIDEO};
    for (size_t i = 0; roles[i]; i++)
        if (strcmp(roles[i], name) == 0)
            return bits[i];
    return 0;
}

/* Each service has a port of its own, so that they live side by side on one machine. */
static int port_of(const struct options *options)
{
    static const struct {
        unsigned role;
        int port;
    } ports[] = {{API_VOICE, 55440},
                 {API_IMAGE, 55441},
                 {API_PROSODY, 55442},
                 {API_MUSIC, 55443},
                 {API_VIDEO, 55444}};
    for (size_t i = 0; options->port < 0 && i < sizeof ports / sizeof *ports; i++)
        if (roles_of(options->role) == ports[i].role)
            return ports[i].port;
    return options->port < 0 ? 55433 : (int)options->port;
}

static const char *set_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void set_log(const struct options *options)
{
    enum log_level level = LOG_INFO;
    if (!log_level_parse(options->log_level, &level))
        level = LOG_INFO;
    bool text = strcmp(options->log_format, "text") == 0 ||
                (strcmp(options->log_format, "auto") == 0 &&
                 strcmp(options->environment, "production") != 0 && isatty(STDERR_FILENO));
    log_set(level, text ? LOG_TERMINAL : LOG_JSON, STDERR_FILENO);
}

/* Many waiting clients need many descriptors. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Who makes messages needs room for them; other roles only for what is sent to them. */
static void tell_room(void *context, const struct error *full)
{
    struct running *running = context;
    unsigned makers = API_GATEWAY | API_WORKER;
    bool required = (roles_of(running->options->role) & makers) != 0;
    health_set(running->health, "storage", required, full ? HEALTH_UNHEALTHY : HEALTH_HEALTHY,
               full ? full->text : NULL);
}

static bool open_jobs(struct running *running, struct error *err)
{
    const struct options *options = running->options;
    const struct store_options store = {
        .root = running->dir.store,
        .keep_ms = {options->keep_uploads_ms, options->keep_intermediate_ms,
                    options->keep_videos_ms},
        .reserve_bytes = options->reserve_bytes > 0 ? options->reserve_bytes : -1,
    };
    const struct jobs_options jobs = {
        .path = running->dir.jobs_db,
        .max_waiting = (int)options->queue,
        .keep_ms = options->keep_videos_ms,
    };
    running->store = store_local_open(&store, err);
    running->jobs = running->store ? jobs_open(&jobs, err) : NULL;
    if (!running->jobs)
        return false;
    static const char *const vendors[] = {"voicevox", "openvoice", "d_id"};
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        health_set(running->health, vendors[i], false, HEALTH_DISABLED, NULL);
    static const char *const parts[] = {"storage", "jobs"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        health_set(running->health, parts[i], true, HEALTH_HEALTHY, NULL);
    running->retention = retention_start(running->store, running->jobs, tell_room, running, err);
    return running->retention != NULL;
}

static void open_engines(struct running *running)
{
    const struct daemon *daemon = running->daemon;
    const struct engines_options engines = {
        .vision = {.models_dir = daemon->paths.models,
                   .user_models_dir =
                       running->options->models ? running->options->models : running->dir.models,
                   .image_model = running->options->image_model,
                   .image_service = set_or_null(running->options->image_service),
                   .device = set_or_null(running->options->image_device),
                   .threads = (int)running->options->image_threads,
                   .streams = (int)running->options->image_streams,
                   .queue = (int)running->options->image_queue,
                   .memory_bytes = (size_t)running->options->image_memory_bytes,
                   .inference = running->options->inference,
                   .tuning_path = running->dir.tuning,
                   .visible_gpus = running->options->visible_gpus,
                   .onnxruntime = running->options->onnxruntime},
        .assets_dir = daemon->paths.assets,
        .state_path = running->dir.state,
        .store = running->store,
        .jobs = running->jobs,
        .health = running->health,
        .metrics = running->metrics,
        .work = (roles_of(running->options->role) & (API_GATEWAY | API_WORKER)) != 0,
        .messages = roles_of(running->options->role) != API_IMAGE,
    };
    running->engines = engines_new(&engines);
}

static void open_page(struct running *running)
{
    struct error err = {.kind = ERROR_INTERNAL};
    const struct daemon *daemon = running->daemon;
    const char *web = running->options->web ? running->options->web : daemon->paths.web;
    running->page = http_tree_open(web, NULL);
    if (!running->page)
        log_info("page.missing", LOG_TEXT("folder", web));
    running->presets = presets_open(daemon->paths.assets, &err);
    if (!running->presets)
        log_warn("presets.missing", LOG_ERROR(&err));
}

/* What waits in the queue must not lose its photo to retention. */
static bool keeps_long_enough(const struct options *options, struct error *err)
{
    const struct {
        const char *name;
        int64_t ms;
    } times[] = {{"--keep-uploads", options->keep_uploads_ms},
                 {"--keep-intermediate", options->keep_intermediate_ms},
                 {"--keep-videos", options->keep_videos_ms}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].ms < SHORTEST_KEEP_MS)
            return error_set(err, ERROR_INVALID, "%s: at least 1h is allowed", times[i].name);
    return true;
}

static bool start(struct running *running, struct error *err)
{
    const struct options *options = running->options;
    const struct daemon *daemon = running->daemon;
    if (set_or_null(options->image_service) && !remote_url_check(options->image_service, err))
        return false;
    if (!runtime_device_check(set_or_null(options->image_device), err))
        return error_wrap(err, "--image-device or IMAGE_DEVICE");
    if (set_or_null(options->allowed_hosts) && !guard_names_check(options->allowed_hosts, err))
        return error_wrap(err, "--allowed-host or VMAD_ALLOWED_HOSTS");
    if (!keeps_long_enough(options, err) || !data_dir_open(&running->dir, options->data, err))
        return false;
    running->health = health_new(daemon->version);
    running->metrics = metrics_new(daemon->version);
    if (!open_jobs(running, err))
        return false;
    open_engines(running);
    open_page(running);
    running->api = (struct api){
        .version = daemon->version,
        .health = running->health,
        .metrics = running->metrics,
        .page = running->page,
        .presets = running->presets,
        .store = running->store,
        .jobs = running->jobs,
        .engines = running->engines,
        .roles = roles_of(options->role),
        .wait_limit_ms = options->wait_ms,
        .heartbeat_ms = options->heartbeat_ms,
        .keep_uploads_ms = options->keep_uploads_ms,
        .keep_videos_ms = options->keep_videos_ms,
        .show_metrics = strcmp(options->metrics, "network") == 0,
        .trust_forwarded = options->trust_forwarded,
    };
    api_app(&running->api, &running->app);
    const struct http_options http = {
        .host = options->host,
        .port = port_of(options),
        .allowed_hosts = set_or_null(options->allowed_hosts),
        .spool_dir = running->dir.spool,
        .heavy_workers = engines_turns_places(running->engines) + OTHER_WORKERS,
        .max_connections = (int)options->connections,
        .header_timeout_ms = (int)options->header_ms,
        .body_grace_ms = (int)options->body_ms,
    };
    running->server = http_server_start(&http, &running->app, err);
    running->observed =
        (struct observed){running->jobs, running->store, running->server, running->engines};
    observe(running->metrics, &running->observed);
    /* Before anybody asks: the first message shall not wait for it, and what an earlier process
     * left unfinished goes on. */
    if (running->server)
        engines_warm(running->engines);
    return running->server != NULL;
}

/* First no new work, then running work ends or stays queued, then the clients are told. */
static void stop(struct running *running)
{
    if (running->engines)
        engines_end(running->engines);
    if (running->jobs)
        jobs_stop(running->jobs, running->options->grace_ms);
    http_server_stop(running->server, STOP_GRACE_MS);
    engines_free(running->engines);
    retention_stop(running->retention);
    jobs_close(running->jobs);
    store_free(running->store);
    api_close(&running->app);
    http_tree_close(running->page);
    presets_close(running->presets);
    metrics_free(running->metrics);
    health_free(running->health);
    data_dir_close(&running->dir);
}

static void announce(const struct running *running)
{
    const char *host = running->options->host;
    bool v6 = strchr(host, ':') != NULL;
    int port = http_server_port(running->server);
    printf("Video Message App: http://%s%s%s:%d/\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
    fflush(stdout);
    log_info("server.ready", LOG_TEXT("host", host), LOG_INT("port", port),
             LOG_TEXT("role", running->options->role), LOG_TEXT("data", running->dir.root),
             LOG_TEXT("version", running->daemon->version));
}

static bool serve_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    const struct options *options = raw;
    struct running running = {.daemon = context, .options = options, .dir.lock_fd = -1};
    sigset_t signals;

    set_log(options);
    raise_file_limit();
    /* Blocked before threads start, so that only this one takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    bool started = start(&running, err);
    if (started) {
        announce(&running);
        int number = 0;
        while (sigwait(&signals, &number) != 0 || number == SIGHUP)
            ;
        log_info("server.stopping", LOG_INT("signal", number));
        health_set(running.health, "jobs", true, HEALTH_UNHEALTHY, "stopping");
    }
    stop(&running);
    if (started)
        log_info("server.stopped");
    return started;
}

const struct command command_serve = {
    .name = "serve",
    .summary = "Run the application: web page, API, jobs",
    .options = rows,
    .defaults =
        &(const struct options){
            .host = "127.0.0.1",
            .data = "data",
            .role = "all",
            .environment = "development",
            .log_level = "info",
            .log_format = "auto",
            .metrics = "loopback",
            .port = -1,
            .wait_ms = 60 * 1000,
            .grace_ms = 10 * 1000,
            .queue = 64,
            .heartbeat_ms = 15 * 1000,
            .header_ms = 30 * 1000,
            .body_ms = 20 * 1000,
            .connections = 4096,
            .keep_uploads_ms = INT64_C(7) * 24 * 3600 * 1000,
            .keep_intermediate_ms = INT64_C(3) * 24 * 3600 * 1000,
            .keep_videos_ms = INT64_C(30) * 24 * 3600 * 1000,
            .reserve_bytes = 256 * 1000 * 1000,
        },
    .options_size = sizeof(struct options),
    .run = serve_run,
};
