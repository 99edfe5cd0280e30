/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/tuning.h"
#include "infer/runtime.h"
#include "media/picture.h"

enum { MAX_RUNS = 4096, MAX_STREAMS = 4, SIDE = 512 };

static const int candidates[] = {1, 2, 4};
/* More of anything must be worth it: it costs memory, and each picture waits longer. */
static const double gain = 1.05;

struct trial {
    struct cutter *cutter;
    const struct picture *photo;
    int batch;
    int64_t until_ns;
    pthread_mutex_t lock; /* everything below */
    double took_ms[MAX_RUNS];
    int runs;
    bool failed;
    struct error err;
};

/* As the service does it: prepare, infer, finish. */
static bool pictures_cut(struct trial *trial, struct error *err)
{
    struct cut cuts[BATCH_MAX] = {{.width = 0}}, *pointers[BATCH_MAX];
    bool done = true;
    for (int i = 0; i < trial->batch && done; i++) {
        pointers[i] = &cuts[i];
        done = cut_prepare(trial->cutter, trial->photo, NULL, 0, &cuts[i], err);
        cut_rename(&cuts[i]);
    }
    done = done && cut_infer_all(trial->cutter, pointers, trial->batch, NULL, err);
    for (int i = 0; i < trial->batch; i++) {
        struct picture mask AUTO(picture_dispose) = {0};
        done = done && cut_finish(trial->cutter, &cuts[i], &mask, err);
        cut_dispose(&cuts[i]);
    }
    return done;
}

static void *stream(void *context)
{
    struct trial *trial = context;
    struct error err = {.kind = ERROR_INTERNAL};
    bool more = true;
    while (more) {
        int64_t start_ns = mono_ns();
        bool done = pictures_cut(trial, &err);
        int64_t end_ns = mono_ns();
        pthread_mutex_lock(&trial->lock);
        if (!done && !trial->failed)
            trial->err = err;
        trial->failed |= !done;
        if (done && trial->runs < MAX_RUNS)
            trial->took_ms[trial->runs++] = (double)(end_ns - start_ns) / 1e6;
        more = !trial->failed && end_ns < trial->until_ns;
        pthread_mutex_unlock(&trial->lock);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool combination(struct trial *trial, int streams, double each_s, struct tuned *out,
                        struct error *err)
{
    pthread_t threads[MAX_STREAMS];
    int64_t start_ns = mono_ns();
    trial->runs = 0;
    trial->failed = false;
    trial->until_ns = start_ns + (int64_t)(each_s * 1e9);
    int started = 0;
    while (started < streams && pthread_create(&threads[started], NULL, stream, trial) == 0)
        started++;
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (started == 0)
        return error_set(err, ERROR_LIMIT, "start a thread");
    if (trial->failed) {
        *err = trial->err;
        return false;
    }
    double took_s = (double)(mono_ns() - start_ns) / 1e9;
    qsort(trial->took_ms, (size_t)trial->runs, sizeof *trial->took_ms, by_size);
    out->streams = streams;
    out->batch = trial->batch;
    out->pictures_per_s = (double)trial->runs * trial->batch / took_s;
    out->p50_ms = trial->took_ms[trial->runs / 2];
    return true;
}

struct tuning_run {
    const struct tune_how *how;
    struct trial trial;
    struct tuned now, best;
    int cores;
};

static void compare(struct tuning_run *run)
{
    if (run->best.pictures_per_s == 0 || run->now.pictures_per_s > run->best.pictures_per_s * gain)
        run->best = run->now;
    if (run->how->tell)
        run->how->tell(run->how->context, &run->now);
}

/* A processor is full when every core has a thread, and one more stream on top hides what is not
 * inference; a card is fed by any number. Memory that runs out ends the search, not the tuning. */
static bool try_streams(struct tuning_run *run, struct error *err)
{
    bool cpu = strcmp(run->now.device, "cpu") == 0;
    double each_s = run->how->each_s > 0 ? run->how->each_s : 0.3;
    for (size_t s = 0; s < sizeof candidates / sizeof *candidates; s++)
        for (size_t b = 0; b < sizeof candidates / sizeof *candidates; b++) {
            int streams = candidates[s], batch = candidates[b];
            if ((cpu && streams > 1 && (streams - 1) * run->now.threads > run->cores) ||
                batch > cutter_batch(run->trial.cutter))
                continue;
            run->trial.batch = batch;
            if (run->how->enter && !run->how->enter(run->how->context))
                return error_set(err, ERROR_CANCELLED, "called off");
            bool done = combination(&run->trial, streams, each_s, &run->now, err);
            if (run->how->leave)
                run->how->leave(run->how->context);
            if (done)
                compare(run);
            else if (err->kind != ERROR_LIMIT || run->best.pictures_per_s == 0)
                return false;
        }
    return true;
}

static bool try_threads(struct tuning_run *run, struct runtime *runtime,
                        const struct model_entry *entry, int threads, struct error *err)
{
    const struct cutter_files files = {entry->kind, entry->paths[0], entry->paths[1]};
    const struct session_options options = {.device = run->how->device,
                                            .threads = threads,
                                            .arena_limit_bytes = run->how->arena_limit_bytes};
    AUTO(cutter_close) struct cutter *cutter = cutter_open(runtime, &files, &options, err);
    struct tuned warm;
    if (!cutter)
        return false;
    run->trial.cutter = cutter;
    run->trial.batch = 1;
    run->now.threads = threads;
    snprintf(run->now.device, sizeof run->now.device, "%s", cutter_device(cutter));
    device_name(run->now.device, run->how->visible, run->now.name);
    return combination(&run->trial, 1, 0, &warm, err) && try_streams(run, err);
}

static struct tuning_run *run_new(const struct tune_how *how, const struct picture *photo)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct tuning_run *run = xcalloc(1, sizeof *run);
    run->how = how;
    run->cores = cores > 0 ? (int)cores : 1;
    run->trial.photo = photo;
    pthread_mutex_init(&run->trial.lock, NULL);
    return run;
}

static void run_free_auto(struct tuning_run **run)
{
    pthread_mutex_destroy(&(*run)->trial.lock);
    free(*run);
}

static struct picture grey_make(void)
{
    struct picture photo = picture_new(SIDE, SIDE, PICTURE_RGB);
    memset(photo.pixels, 128, photo.stride * SIDE);
    return photo;
}

bool tune(struct runtime *runtime, const struct model_entry *entry, const struct tune_how *how,
          struct tuned *out, struct error *err)
{
    AUTO(picture_dispose) struct picture photo = grey_make();
    AUTO(run_free) struct tuning_run *run = run_new(how, &photo);
    model_key(entry, run->now.model);
    int most = how->max_threads > 0 ? how->max_threads : run->cores;
    bool done = try_threads(run, runtime, entry, 1, err);
    bool cpu = done && strcmp(run->now.device, "cpu") == 0;
    for (size_t i = 1; cpu && done && i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i] <= most)
            done = try_threads(run, runtime, entry, candidates[i], err);
    *out = run->best;
    return done;
}

bool tune_loaded(struct cutter *cutter, const struct tuned *like, const struct tune_how *how,
                 struct tuned *out, struct error *err)
{
    AUTO(picture_dispose) struct picture photo = grey_make();
    AUTO(run_free) struct tuning_run *run = run_new(how, &photo);
    run->now = *like;
    run->trial.cutter = cutter;
    bool done = try_streams(run, err);
    *out = run->best;
    return done;
}
