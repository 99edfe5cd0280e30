/* SPDX-License-Identifier: Apache-2.0 */
#include "api/engines.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "api/health.h"
#include "api/metrics.h"
#include "api/tidy.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/portrait.h"
#include "image/scheduler.h"
#include "image/segment.h"
#include "image/watch.h"
#include "infer/gpu.h"
#include "jobs/jobs.h"
#include "pipeline/pipeline.h"
#include "sys/memory.h"
#include "voice/voice.h"

enum { TOLD_SIZE = 480 };

struct engines {
    struct engines_options options;
    atomic_bool begun;
    pthread_mutex_t lock; /* everything below, and setting begun */
    pthread_cond_t opened;
    bool voices_tried, vision_tried, all_tried;
    bool awaited; /* by somebody who wants to use them at once */
    bool missed;  /* by somebody, since they were tried last */
    atomic_bool ended;
    struct voices *voices;
    struct vision *vision;
    struct pipeline *pipeline;
    struct error voices_err, vision_err, pipeline_err;
    char told[TOLD_SIZE]; /* of the vision, to health */
    pthread_t thread, probe;
    bool probing;
    struct scheduler *turns;
    struct watch *watch;
    struct tidy *tidy;
};

/* Photos in front of those that are worked on, and what these may take of memory together. */
enum {
    TURNS_QUEUE = 16,
    TURNS_BYTES = 200 << 20,
    PROBE_EVERY_MS = 5000,
    LOG_EVERY = 12, /* probes */
    QUIET_MS = 4000,
    /* What cannot be opened is tried again: after a second, then less and less often, and at once
     * when somebody asks for it, but not more often than every second. */
    RETRY_MS = 1000,
    RETRY_MOST_MS = 60 * 1000,
};

/* Two more than there are processors: whose photo is being decoded waits for another process, and
 * whose turn has just come is not awake yet. */
static struct scheduler *turns_new(int queue)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const struct scheduler_settings settings = {.streams = (cores > 1 ? (int)cores : 1) + 2,
                                                .queue = queue ? queue : TURNS_QUEUE,
                                                .memory_bytes = TURNS_BYTES};
    return scheduler_new(&settings);
}

/* What was freed, and the code of what is done now and then, are no use to a process that waits. */
static bool give_back(void *context)
{
    struct engines *engines = context;
    struct vision *vision = engines_vision_now(engines);
    struct jobs_counts counts;
    jobs_counts(engines->options.jobs, &counts);
    if (counts.states[JOB_RUNNING] > 0)
        return true;
    bool left = vision && segment_forget(vision_segment(vision));
    memory_trim();
    memory_let_go_of_code();
    return left;
}

struct engines *engines_new(const struct engines_options *options)
{
    struct engines *engines = xcalloc(1, sizeof *engines);
    engines->options = *options;
    pthread_mutex_init(&engines->lock, NULL);
    cond_init_mono(&engines->opened);
    engines->turns = turns_new(options->vision.queue);
    engines->watch = watch_new();
    engines->tidy = tidy_new(QUIET_MS, give_back, engines);
    if (options->messages)
        health_set(options->health, "voices", true, HEALTH_HEALTHY, NULL);
    health_set(options->health, "vision", true, HEALTH_HEALTHY, NULL);
    return engines;
}

static void report(struct engines *engines, const char *service, bool fine, const struct error *err,
                   const char *detail, int64_t began_ms)
{
    if (fine)
        log_info("engine.ready", LOG_TEXT("engine", service),
                 LOG_INT("took_ms", mono_ms() - began_ms));
    else
        log_error("engine.missing", LOG_TEXT("engine", service), LOG_ERROR(err));
    health_set(engines->options.health, service, true, fine ? HEALTH_HEALTHY : HEALTH_UNHEALTHY,
               fine ? detail : err->text);
}

static void open_voices(struct engines *engines)
{
    struct error err = {.kind = ERROR_INTERNAL};
    int64_t began_ms = mono_ms();
    struct voices *voices = voices_open(NULL, &err);
    report(engines, "voices", voices != NULL, &err, NULL, began_ms);
    pthread_mutex_lock(&engines->lock);
    engines->voices = voices;
    engines->voices_err = err;
    engines->voices_tried = true;
    pthread_cond_broadcast(&engines->opened);
    pthread_mutex_unlock(&engines->lock);
}

/* Another model than the one that was chosen does the work as well as it can: that is no reason to
 * be taken out of service, but one to be looked at. */
static void tell_model(struct engines *engines, struct vision *vision)
{
    struct segment_state state = segment_state(vision_segment(vision));
    health_set(engines->options.health, "image_model", false,
               state.model_why[0] ? HEALTH_UNHEALTHY : HEALTH_HEALTHY, state.model_why);
}

/* Model and device may have changed with the last picture. */
static void tell_vision(struct engines *engines)
{
    struct vision *vision = engines_vision_now(engines);
    char now[TOLD_SIZE] = "";
    if (!vision)
        return;
    vision_describe(vision, now, sizeof now);
    pthread_mutex_lock(&engines->lock);
    bool news = strcmp(now, engines->told) != 0;
    memcpy(engines->told, now, sizeof now);
    pthread_mutex_unlock(&engines->lock);
    if (!news)
        return;
    tell_model(engines, vision);
    health_set(engines->options.health, "vision", true, HEALTH_HEALTHY, now);
}

static void stage_ended(void *context, const char *stage, double seconds)
{
    struct engines *engines = context;
    metrics_stage(engines->options.metrics, stage, seconds);
    log_info("stage.ended", LOG_TEXT("stage", stage), LOG_INT("took_ms", (int64_t)(seconds * 1e3)));
    tell_vision(engines);
    tidy_worked(engines->tidy);
}

static struct pipeline *open_pipeline(struct engines *engines, struct error *err)
{
    const struct engines_options *options = &engines->options;
    const struct pipeline_options how = {
        .store = options->store,
        .jobs = options->jobs,
        .vision = engines->vision,
        .voices = engines->voices,
        .assets_dir = options->assets_dir,
        .state_path = options->state_path,
        .observe = stage_ended,
        .observe_context = engines,
    };
    AUTO(pipeline_close) struct pipeline *pipeline = pipeline_open(&how, err);
    bool work = options->work && !atomic_load(&engines->ended);
    if (!pipeline || (work && !pipeline_start(pipeline, 0, err)))
        return NULL;
    return TAKE(pipeline);
}

/* Beside the voices, on a thread of its own: both take their time. */
static void *open_vision(void *context)
{
    struct engines *engines = context;
    struct error err = {.kind = ERROR_INTERNAL};
    int64_t began_ms = mono_ms();
    struct vision *vision = vision_open_with(&engines->options.vision, &err);
    char told[TOLD_SIZE] = "";
    if (vision)
        vision_describe(vision, told, sizeof told);
    if (vision)
        tell_model(engines, vision);
    report(engines, "vision", vision != NULL, &err, told, began_ms);
    pthread_mutex_lock(&engines->lock);
    memcpy(engines->told, told, sizeof told);
    engines->vision = vision;
    engines->vision_err = err;
    engines->vision_tried = true;
    pthread_cond_broadcast(&engines->opened);
    pthread_mutex_unlock(&engines->lock);
    return NULL;
}

static void probe_service(struct engines *engines)
{
    struct error err = {.kind = ERROR_INTERNAL};
    bool fine = vision_check_service(engines->vision, &err);
    /* Where it is concerns nobody who asks from outside. */
    const char *url = engines->options.vision.image_service, *why = fine ? NULL : err.text;
    if (why && text_starts(why, url))
        why += strspn(why + strlen(url), ": /") + strlen(url);
    health_set(engines->options.health, "image_service", false,
               fine ? HEALTH_HEALTHY : HEALTH_UNHEALTHY, why);
}

/* What the graphics card does; that it cannot be told is no fault of the service. */
static void probe_gpu(struct engines *engines, bool log)
{
    struct gpu_state state;
    char text[256], why[160];
    bool read = segment_gpu(vision_segment(engines->vision), &state, why);
    if (read)
        gpu_text(&state, text, sizeof text);
    health_set(engines->options.health, "gpu", false, read ? HEALTH_HEALTHY : HEALTH_DISABLED,
               read ? text : why);
    if (read && log)
        log_info("gpu.state", LOG_TEXT("name", state.name), LOG_TEXT("driver", state.driver),
                 LOG_INT("busy_percent", state.busy_percent),
                 LOG_INT("memory_used_bytes", state.memory_used_bytes),
                 LOG_INT("memory_bytes", state.memory_bytes),
                 LOG_INT("temperature_c", state.temperature_c), LOG_REAL("power_w", state.power_w),
                 LOG_INT("clock_mhz", state.clock_mhz));
    else if (log)
        log_info("gpu.unknown", LOG_TEXT("why", why));
}

static bool wants_gpu(const struct engines *engines)
{
    const char *device = engines->options.vision.device;
    return device && text_starts(device, "cuda") && !engines->options.vision.image_service;
}

/* Every few seconds: does the image service that was named answer, what does the card do? */
static void *probe(void *context)
{
    struct engines *engines = context;
    for (unsigned round = 0; !atomic_load(&engines->ended); round++) {
        if (engines->options.vision.image_service)
            probe_service(engines);
        if (wants_gpu(engines))
            probe_gpu(engines, round % LOG_EVERY == 0);
        struct timespec until = cond_deadline(mono_ms() + PROBE_EVERY_MS);
        pthread_mutex_lock(&engines->lock);
        while (!atomic_load(&engines->ended) &&
               pthread_cond_timedwait(&engines->opened, &engines->lock, &until) == 0)
            ;
        pthread_mutex_unlock(&engines->lock);
    }
    return NULL;
}

/* What is not there yet, each on its own. */
static void open_missing(struct engines *engines)
{
    pthread_t beside;
    bool seeing = engines->vision != NULL;
    bool parallel = !seeing && pthread_create(&beside, NULL, open_vision, engines) == 0;
    if (engines->options.messages && !engines->voices)
        open_voices(engines);
    if (parallel)
        pthread_join(beside, NULL);
    else if (!seeing)
        open_vision(engines);
}

/* Everything there is to open, once; true when nothing is missing. */
static bool open_once(struct engines *engines)
{
    struct error err = {.kind = ERROR_INTERNAL};
    struct pipeline *pipeline = NULL;
    int64_t began_ms = mono_ms();
    open_missing(engines);
    if (engines->vision && !engines->probing &&
        (engines->options.vision.image_service || wants_gpu(engines)))
        engines->probing = pthread_create(&engines->probe, NULL, probe, engines) == 0;
    if (!engines->options.messages || !engines->voices)
        err = engines->voices_err;
    else if (!engines->vision)
        err = engines->vision_err;
    else
        pipeline = open_pipeline(engines, &err);
    if (engines->vision && engines->voices)
        report(engines, "pipeline", pipeline != NULL, &err, NULL, began_ms);

    pthread_mutex_lock(&engines->lock);
    engines->pipeline = pipeline;
    engines->pipeline_err = err;
    engines->all_tried = true;
    pthread_cond_broadcast(&engines->opened);
    pthread_mutex_unlock(&engines->lock);
    return engines->vision && (pipeline || !engines->options.messages);
}

/* Until it is time to try again; false when there will be no more tries. */
static bool rest(struct engines *engines, int64_t least_ms, int64_t most_ms)
{
    int64_t began_ms = mono_ms();
    pthread_mutex_lock(&engines->lock);
    engines->missed = false;
    while (!atomic_load(&engines->ended)) {
        int64_t until_ms = began_ms + (engines->missed ? least_ms : most_ms);
        struct timespec until = cond_deadline(until_ms);
        if (mono_ms() >= until_ms)
            break;
        pthread_cond_timedwait(&engines->opened, &engines->lock, &until);
    }
    pthread_mutex_unlock(&engines->lock);
    return !atomic_load(&engines->ended);
}

static void *open_all(void *context)
{
    struct engines *engines = context;
    memory_let_go_of_code(); /* what starting the process took */
    int64_t wait_ms = RETRY_MS;
    while (!open_once(engines) && rest(engines, RETRY_MS, wait_ms))
        wait_ms = wait_ms * 2 < RETRY_MOST_MS ? wait_ms * 2 : RETRY_MOST_MS;
    pthread_mutex_lock(&engines->lock);
    bool awaited = engines->awaited;
    pthread_mutex_unlock(&engines->lock);
    if (awaited)
        tidy_worked(engines->tidy);
    else
        give_back(engines);
    return NULL;
}

/* Under the lock. */
static void begin(struct engines *engines)
{
    if (!atomic_load(&engines->begun) && !atomic_load(&engines->ended))
        atomic_store(&engines->begun,
                     pthread_create(&engines->thread, NULL, open_all, engines) == 0);
}

void engines_warm(struct engines *engines)
{
    if (atomic_load(&engines->begun))
        return;
    pthread_mutex_lock(&engines->lock);
    begin(engines);
    pthread_mutex_unlock(&engines->lock);
}

/* Under the lock. Waits until *tried. */
static bool await(struct engines *engines, const bool *tried, struct error *err)
{
    begin(engines);
    if (!atomic_load(&engines->begun)) {
        error_set(err, ERROR_UNAVAILABLE, "the service is stopping");
        return error_about(err, NULL, "shutting_down");
    }
    while (!*tried) {
        engines->awaited = true;
        pthread_cond_wait(&engines->opened, &engines->lock);
    }
    return true;
}

/* Under the lock. */
static void missing(struct engines *engines, const struct error *cause, struct error *err)
{
    error_set(err, ERROR_UNAVAILABLE, "%s", cause->text);
    error_about(err, NULL, "engine_missing");
    error_retry(err, 2 * RETRY_MS / 1000);
    engines->missed = true;
    pthread_cond_broadcast(&engines->opened);
}

struct voices *engines_voices(struct engines *engines, struct error *err)
{
    pthread_mutex_lock(&engines->lock);
    bool tried = await(engines, &engines->voices_tried, err);
    struct voices *voices = tried ? engines->voices : NULL;
    if (tried && !voices)
        missing(engines, &engines->voices_err, err);
    pthread_mutex_unlock(&engines->lock);
    return voices;
}

struct vision *engines_vision(struct engines *engines, struct error *err)
{
    pthread_mutex_lock(&engines->lock);
    bool tried = await(engines, &engines->vision_tried, err);
    struct vision *vision = tried ? engines->vision : NULL;
    if (tried && !vision)
        missing(engines, &engines->vision_err, err);
    pthread_mutex_unlock(&engines->lock);
    return vision;
}

struct vision *engines_vision_now(struct engines *engines)
{
    pthread_mutex_lock(&engines->lock);
    struct vision *vision = engines->vision;
    pthread_mutex_unlock(&engines->lock);
    return vision;
}

struct scheduler *engines_turns(struct engines *engines)
{
    return engines->turns;
}

int engines_turns_places(struct engines *engines)
{
    struct scheduler_state state = scheduler_state(engines->turns);
    return state.streams + state.queue;
}

struct watch *engines_watch(struct engines *engines)
{
    return engines->watch;
}

void engines_worked(struct engines *engines)
{
    tell_vision(engines);
    tidy_worked(engines->tidy);
}

struct pipeline *engines_pipeline(struct engines *engines, struct error *err)
{
    pthread_mutex_lock(&engines->lock);
    bool tried = await(engines, &engines->all_tried, err);
    struct pipeline *pipeline = tried ? engines->pipeline : NULL;
    if (tried && !pipeline)
        missing(engines, &engines->pipeline_err, err);
    pthread_mutex_unlock(&engines->lock);
    return pipeline;
}

void engines_end(struct engines *engines)
{
    pthread_mutex_lock(&engines->lock);
    bool running = !engines->ended && atomic_load(&engines->begun);
    atomic_store(&engines->ended, true);
    pthread_cond_broadcast(&engines->opened);
    pthread_mutex_unlock(&engines->lock);
    if (running)
        pthread_join(engines->thread, NULL);
    if (running && engines->probing)
        pthread_join(engines->probe, NULL);
}

void engines_free(struct engines *engines)
{
    if (!engines)
        return;
    engines_end(engines);
    pipeline_close(engines->pipeline);
    tidy_free(engines->tidy);
    vision_close(engines->vision);
    watch_free(engines->watch);
    scheduler_free(engines->turns);
    if (engines->voices)
        voices_close(engines->voices);
    pthread_cond_destroy(&engines->opened);
    pthread_mutex_destroy(&engines->lock);
    free(engines);
}
