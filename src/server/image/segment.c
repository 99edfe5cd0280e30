/* SPDX-License-Identifier: Apache-2.0 */
#include "image/segment.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/loaded_internal.h"
#include "image/remote.h"
#include "image/self_tuning_internal.h"
#include "image/tuning.h"
#include "image/watch.h"
#include "infer/gpu.h"
#include "infer/runtime.h"
#include "media/picture.h"

/* Where nothing was measured: while one picture is inferred, another is prepared. */
enum { DEFAULT_STREAMS = 2 };

_Static_assert(RELIEFS == sizeof((struct segment_state *)0)->reliefs / sizeof(uint64_t),
               "the state has a place for each");

struct segment {
    struct runtime *runtime; /* borrowed */
    struct runtime *apart;   /* ours; NULL until it is needed; of whoever loads */
    struct segment_settings settings;
    char *embedded_dir, *user_dir, *image_model, *asked, *device, *use_path, *onnxruntime;
    char *tuning_path, *visible_gpus;
    struct scheduler *scheduler;
    struct watch *watch;
    struct self_tuning *self_tuning; /* NULL: none was needed; of whoever loads */
    struct gpus *gpus;               /* NULL until asked for; under the lock */
    bool gpus_tried;
    char gpus_why[160];
    pthread_mutex_t lock;   /* everything below; taken before the scheduler's */
    struct loaded *current; /* changed only by whoever loads */
    bool loading;           /* somebody does */
    char model_why[200];    /* "", or why the chosen model is not the current one */
    struct stat use_seen;
    uint64_t reliefs[RELIEFS]; /* how pictures got through although memory was short */
    char short_of_memory[120]; /* the last time; "": never */
    uint64_t known;
};

/* The entry that is wanted: by setting, by choice, or the embedded one. */
static const struct model_entry *entry_wanted(const struct models *models, const char *which,
                                              struct error *err)
{
    int wanted = which ? models_find(models, which) : models->used;
    if (wanted < 0) {
        error_set(err, ERROR_NOT_FOUND, "IMAGE_MODEL=%.60s is not installed", which);
        return NULL;
    }
    const struct model_entry *entry = &models->entries[wanted];
    if (!entry->problem[0])
        return entry;
    error_set(err, ERROR_INVALID, "model %s@%s: %s", entry->name, entry->version, entry->problem);
    return NULL;
}

/* Where `entry` runs. Without vmad-infer everything runs here, and the log says so. */
static struct runtime *runtime_for(struct segment *segment, const struct model_entry *entry)
{
    struct error err;
    bool ours = entry->embedded && strcmp(segment->device, "cpu") == 0;
    if (segment->settings.place == INFERENCE_INSIDE || ours)
        return segment->runtime;
    if (runtime_state(segment->runtime).apart)
        return segment->runtime;
    if (!segment->apart)
        segment->apart = runtime_open_apart(NULL, segment->onnxruntime, &err);
    if (!segment->apart)
        log_warn("image.inference_inside", LOG_ERROR(&err));
    return segment->apart ? segment->apart : segment->runtime;
}

/* What was measured of this model on this device, if that is wanted at all. */
static bool tuned_find(const struct segment *segment, const char *key, const char *device,
                       struct tuned *out)
{
    struct tuned like = {.threads = 1, .batch = 1};
    snprintf(like.model, sizeof like.model, "%s", key);
    snprintf(like.device, sizeof like.device, "%s", device);
    if (!segment->tuning_path)
        return false;
    device_name(device, segment->visible_gpus, like.name);
    return tuning_find(segment->tuning_path, &like, out);
}

static void tuned_apply(struct segment *segment, struct loaded *loaded, const struct tuned *tuned)
{
    loaded->streams = tuned->streams;
    loaded->batch = tuned->batch;
    if (!segment->settings.streams)
        scheduler_set_streams(segment->scheduler, tuned->streams);
    log_info("image.tuned", LOG_TEXT("model", loaded->key), LOG_INT("threads", loaded->threads),
             LOG_INT("streams", tuned->streams), LOG_INT("batch", tuned->batch),
             LOG_REAL("pictures_per_s", tuned->pictures_per_s));
}

/* Loads it, unless it is the current one, which is then what is returned. *problem: "", or why it
 * is another than the chosen one. */
static struct loaded *load_wanted(struct segment *segment, const char *which, char problem[160],
                                  struct error *err)
{
    AUTO(models_dispose) struct models models = {0};
    char key[MODEL_KEY_SIZE];
    if (!models_read(segment->embedded_dir, segment->user_dir, &models, problem, 160, err))
        return NULL;
    if (which)
        problem[0] = '\0'; /* nobody asked for the one that was chosen */
    if (problem[0])
        log_warn("image.model_unusable", LOG_TEXT("problem", problem));
    const struct model_entry *entry = entry_wanted(&models, which, err);
    if (!entry)
        return NULL;
    model_key(entry, key);
    if (segment->current && strcmp(segment->current->key, key) == 0)
        return segment->current;
    if (!entry->embedded && !model_verify(entry, err)) /* ours came with the program */
        return NULL;
    struct tuned tuned = {.threads = 1, .batch = 1};
    bool known = tuned_find(segment, key, segment->device, &tuned);
    int threads = segment->settings.threads ? segment->settings.threads : tuned.threads;
    struct session_options options = {.device = segment->device,
                                      .threads = threads,
                                      .arena_limit_bytes = segment->settings.memory_bytes};
    struct loaded *loaded = loaded_open(runtime_for(segment, entry), entry, &options, err);
    const char *device = loaded ? cutter_device(loaded->cutter) : segment->device;
    if (loaded && strcmp(device, segment->device) != 0)
        known = tuned_find(segment, key, device, &tuned);
    if (loaded && known)
        tuned_apply(segment, loaded, &tuned);
    return loaded;
}

static struct self_tuning *tune_if_unknown(struct segment *segment, struct loaded *loaded)
{
    if (!segment->tuning_path || segment->settings.streams || loaded->streams)
        return NULL;
    return self_tuning_begin(loaded, segment->scheduler, segment->tuning_path,
                             segment->visible_gpus);
}

static char *copy_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* A setting is kept to. Who chose a model while the service ran does not want it down after its
 * next start, if that model does not load: the embedded one is taken then. */
static struct loaded *load_first(struct segment *segment, struct error *err)
{
    char none[160];
    struct loaded *first = load_wanted(segment, segment->image_model, segment->model_why, err);
    if (first || segment->image_model)
        return first;
    struct error why = *err;
    first = load_wanted(segment, "portrait", none, err);
    if (!first)
        return NULL;
    snprintf(segment->model_why, sizeof segment->model_why, "%.199s", why.text);
    log_error("image.model_not_loaded", LOG_TEXT("goes_on", first->key), LOG_ERROR(&why));
    return first;
}

struct segment *segment_open(struct runtime *runtime, const struct segment_settings *settings,
                             struct error *err)
{
    struct segment *segment = xcalloc(1, sizeof *segment);
    segment->runtime = runtime;
    segment->settings = *settings;
    segment->embedded_dir = xstrdup(settings->embedded_dir);
    segment->user_dir = copy_or_null(settings->user_dir);
    segment->image_model = copy_or_null(settings->image_model);
    segment->onnxruntime = copy_or_null(settings->onnxruntime);
    segment->tuning_path = settings->remote ? NULL : copy_or_null(settings->tuning_path);
    segment->visible_gpus = copy_or_null(settings->visible_gpus);
    segment->asked = xstrdup(settings->device ? settings->device : "cpu");
    segment->device = xstrdup(strcmp(segment->asked, "cuda") == 0 ? "cuda:0" : segment->asked);
    segment->use_path = segment->user_dir ? xasprintf("%s/use", segment->user_dir) : NULL;
    segment->scheduler = scheduler_new(&(struct scheduler_settings){
        .streams = settings->streams ? settings->streams : DEFAULT_STREAMS,
        .queue = settings->queue,
        .memory_bytes = settings->memory_bytes});
    segment->watch = watch_new();
    pthread_mutex_init(&segment->lock, NULL);
    if (segment->use_path && stat(segment->use_path, &segment->use_seen) != 0)
        segment->use_seen = (struct stat){0};
    segment->current = load_first(segment, err);
    if (!segment->current) {
        segment_close(segment);
        return NULL;
    }
    segment->self_tuning = tune_if_unknown(segment, segment->current);
    return segment;
}

void segment_close(struct segment *segment)
{
    if (!segment)
        return;
    self_tuning_end(segment->self_tuning);
    gpus_close(segment->gpus);
    loaded_free(segment->current);
    runtime_close(segment->apart);
    watch_free(segment->watch);
    scheduler_free(segment->scheduler);
    pthread_mutex_destroy(&segment->lock);
    free(segment->embedded_dir);
    free(segment->user_dir);
    free(segment->image_model);
    free(segment->device);
    free(segment->asked);
    free(segment->use_path);
    free(segment->onnxruntime);
    free(segment->tuning_path);
    free(segment->visible_gpus);
    free(segment);
}

/* Under the lock. */
static void unuse(struct loaded *loaded)
{
    if (--loaded->users == 0)
        loaded_free(loaded);
}

/* Under the lock. Did somebody choose another model meanwhile? */
static bool chosen_anew(struct segment *segment)
{
    struct stat now = {0};
    if (!segment->use_path || segment->image_model || segment->loading)
        return false;
    if (stat(segment->use_path, &now) != 0)
        now = (struct stat){0};
    if (now.st_ino == segment->use_seen.st_ino &&
        now.st_mtim.tv_sec == segment->use_seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == segment->use_seen.st_mtim.tv_nsec)
        return false;
    segment->use_seen = now;
    return true;
}

/* Under the lock, which is open while the model is loaded: whoever noticed waits for it, everybody
 * else goes on with the old one, and whoever asks for the state is answered. */
static void refresh(struct segment *segment)
{
    struct error err;
    segment->loading = true;
    pthread_mutex_unlock(&segment->lock);
    char problem[160];
    struct loaded *next = load_wanted(segment, NULL, problem, &err);
    if (next && next != segment->current) {
        self_tuning_end(segment->self_tuning); /* it was about the old one */
        segment->self_tuning = tune_if_unknown(segment, next);
    }
    pthread_mutex_lock(&segment->lock);
    segment->loading = false;
    snprintf(segment->model_why, sizeof segment->model_why, "%.199s", next ? problem : err.text);
    if (!next)
        log_error("image.model_not_loaded", LOG_TEXT("goes_on", segment->current->key),
                  LOG_ERROR(&err));
    if (!next || next == segment->current)
        return;
    if (!next->streams && !segment->settings.streams)
        scheduler_set_streams(segment->scheduler, DEFAULT_STREAMS);
    log_info("image.model_switched", LOG_TEXT("from", segment->current->key),
             LOG_TEXT("to", next->key));
    unuse(segment->current);
    segment->current = next;
}

static struct loaded *use_current(struct segment *segment)
{
    pthread_mutex_lock(&segment->lock);
    if (chosen_anew(segment))
        refresh(segment);
    struct loaded *loaded = segment->current;
    loaded->users++;
    pthread_mutex_unlock(&segment->lock);
    return loaded;
}

static void unuse_locked(struct segment *segment, struct loaded *loaded)
{
    pthread_mutex_lock(&segment->lock);
    unuse(loaded);
    pthread_mutex_unlock(&segment->lock);
}

static void note(struct segment *segment, const struct attempt *attempt)
{
    static const char *const texts[RELIEFS] = {"had the device to itself", "was cut out at",
                                               "was cut out on the CPU", "could not be cut out"};
    char size[24] = "";
    pthread_mutex_lock(&segment->lock);
    segment->known += attempt->known;
    pthread_mutex_unlock(&segment->lock);
    if (!attempt->short_of_memory)
        return;
    if (attempt->relief == RELIEF_SMALLER)
        snprintf(size, sizeof size, " %d x %d", attempt->side, attempt->side);
    pthread_mutex_lock(&segment->lock);
    segment->reliefs[attempt->relief]++;
    snprintf(segment->short_of_memory, sizeof segment->short_of_memory,
             "memory ran out; the last picture %s%s", texts[attempt->relief], size);
    pthread_mutex_unlock(&segment->lock);
}

static bool matte_from_afar(struct remote *remote, const struct picture *photo,
                            const struct cut_prompt *prompt, const struct segment_how *how,
                            struct picture *out, struct error *err)
{
    static const struct segment_how unhurried;
    how = how ? how : &unhurried;
    const struct remote_wish wish = {.prompt = prompt,
                                     .deadline_ms = how->deadline_ms,
                                     .batch = how->priority == PRIORITY_BATCH,
                                     .out_model = how->model,
                                     .out_told = how->out_told};
    return remote_matte(remote, photo, &wish, out, err);
}

bool segment_matte(struct segment *segment, const struct picture *photo,
                   const struct cut_prompt *prompt, const struct segment_how *how,
                   struct picture *out, struct error *err)
{
    struct error local;
    err = err ? err : &local;
    if (segment->settings.remote)
        return matte_from_afar(segment->settings.remote, photo, prompt, how, out, err);
    struct loaded *loaded = use_current(segment);
    if (how && how->model)
        snprintf(how->model, MODEL_KEY_SIZE, "%s", loaded->key);
    if (how && how->out_told)
        *how->out_told = cutter_takes_prompts(loaded->cutter);
    struct attempt attempt = {.scheduler = segment->scheduler,
                              .watch = segment->watch,
                              .loaded = loaded,
                              .photo = photo,
                              .prompt = prompt,
                              .how = how,
                              .refine = true};
    bool done = attempt_run(&attempt, out, err);
    note(segment, &attempt);
    unuse_locked(segment, loaded);
    return done;
}

struct segment_state segment_chosen(struct segment *segment)
{
    if (!segment->settings.remote)
        unuse_locked(segment, use_current(segment));
    return segment_state(segment);
}

struct segment_state segment_state(struct segment *segment)
{
    struct segment_state state = {.scheduler = scheduler_state(segment->scheduler)};
    pthread_mutex_lock(&segment->lock);
    const struct loaded *loaded = segment->current;
    const char *why = cutter_fallback(loaded->cutter);
    snprintf(state.model, sizeof state.model, "%s", loaded->key);
    snprintf(state.asked, sizeof state.asked, "%s", segment->asked);
    snprintf(state.device, sizeof state.device, "%s", cutter_device(loaded->cutter));
    snprintf(state.why, sizeof state.why, "%.199s", why ? why : "");
    memcpy(state.model_why, segment->model_why, sizeof state.model_why);
    int side = loaded_side(segment->current);
    memcpy(state.short_of_memory, segment->short_of_memory, sizeof state.short_of_memory);
    if (side)
        snprintf(state.short_of_memory, sizeof state.short_of_memory,
                 "memory is short: pictures are cut out at %d x %d", side, side);
    memcpy(state.reliefs, segment->reliefs, sizeof state.reliefs);
    struct runtime_state runs = runtime_state(loaded->runtime);
    state.apart = runs.apart;
    state.pid = runs.pid;
    state.deaths = runs.deaths;
    state.memory_bytes = loaded->memory_bytes;
    state.threads = loaded->threads;
    state.batch = loaded->batch;
    state.seconds = loaded->seconds;
    state.known = segment->known;
    pthread_mutex_unlock(&segment->lock);
    if (segment->settings.remote) {
        remote_model(segment->settings.remote, state.model, sizeof state.model);
        snprintf(state.asked, sizeof state.asked, "remote");
        snprintf(state.device, sizeof state.device, "remote");
        state.why[0] = state.model_why[0] = '\0';
    }
    return state;
}

bool segment_takes_prompts(struct segment *segment, bool unknown)
{
    if (segment->settings.remote)
        return remote_takes_prompts(segment->settings.remote, unknown);
    pthread_mutex_lock(&segment->lock);
    bool takes = cutter_takes_prompts(segment->current->cutter);
    pthread_mutex_unlock(&segment->lock);
    return takes;
}

bool segment_forget(struct segment *segment)
{
    pthread_mutex_lock(&segment->lock);
    struct loaded *loaded = segment->current;
    loaded->users++;
    pthread_mutex_unlock(&segment->lock);
    bool left = cutter_forget(loaded->cutter);
    pthread_mutex_lock(&loaded->lock);
    left |= loaded->spare && cutter_forget(loaded->spare);
    pthread_mutex_unlock(&loaded->lock);
    unuse_locked(segment, loaded);
    return left;
}

bool segment_gpu(struct segment *segment, struct gpu_state *out, char *out_why)
{
    struct error err;
    out_why[0] = '\0';
    if (strcmp(segment->device, "cpu") == 0 || segment->settings.remote)
        return false;
    pthread_mutex_lock(&segment->lock);
    if (!segment->gpus_tried) {
        segment->gpus_tried = true;
        segment->gpus = gpus_open(segment->visible_gpus, &err);
        if (!segment->gpus)
            snprintf(segment->gpus_why, sizeof segment->gpus_why, "%.159s", err.text);
    }
    bool read = segment->gpus && gpus_read(segment->gpus, segment->device, out, &err);
    if (segment->gpus && !read)
        snprintf(segment->gpus_why, sizeof segment->gpus_why, "%.159s", err.text);
    if (!read)
        snprintf(out_why, sizeof segment->gpus_why, "%s", segment->gpus_why);
    pthread_mutex_unlock(&segment->lock);
    return read;
}
