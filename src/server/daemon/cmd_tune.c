/* SPDX-License-Identifier: Apache-2.0 */
/* vmad tune: how each installed model runs best on this device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "image/tuning.h"
#include "infer/runtime.h"

enum { MAX_OUTPUT = 256 * 1024, MAX_ROWS = 27 };

struct options {
    const char *data, *models, *device, *onnxruntime, *visible;
    int64_t each_ms;
    bool json;
};

static const struct option rows[] = {
    OPTION_TEXT('d', "data", "DIR", data, "the service's data [./data]",
                .environment = "STORAGE_ROOT_PATH"),
    OPTION_TEXT(0, "models", "DIR", models, "installed models [DATA/models]",
                .environment = "VMAD_MODELS"),
    OPTION_TEXT(0, "image-device", "DEVICE", device, "measure on cpu, cuda or cuda:N [cpu]",
                .environment = "IMAGE_DEVICE"),
    OPTION_DURATION(0, "each", "TIME", each_ms, "measure each combination for so long [400ms]"),
    OPTION_FLAG(0, "json", json, "print JSON"),
    OPTION_TEXT(0, "onnxruntime", "FILE", onnxruntime,
                "load this libonnxruntime.so [beside the program, then the system's]",
                .environment = "ONNXRUNTIME_LIB"),
    OPTION_TEXT(0, NULL, "LIST", visible, "which cards there are, in which order",
                .environment = "CUDA_VISIBLE_DEVICES"),
    OPTION_END,
};

/* What is being measured, and where it is told. */
struct tuner {
    const struct options *options;
    struct runtime *runtime;
    const char *path; /* of what is kept */
    struct tuned rows[MAX_ROWS];
    int count;
    int left_out;   /* models that could not be measured */
    struct jv *all; /* NULL: told as a table */
};

static void row_print(const struct tuned *row, char mark)
{
    printf("%c %8d %8d %6d %12.1f %10.2f\n", mark, row->threads, row->streams, row->batch,
           row->pictures_per_s, row->p50_ms);
}

static void row_keep(void *context, const struct tuned *measured)
{
    struct tuner *tuner = context;
    if (tuner->count < MAX_ROWS)
        tuner->rows[tuner->count++] = *measured;
    if (!tuner->all && tuner->count == 1)
        printf("%s on %s (%s)\n   threads  streams  batch   pictures/s     p50 ms\n",
               measured->model, measured->device, measured->name);
    if (!tuner->all)
        row_print(measured, ' ');
    fflush(stdout);
}

static void row_put(struct jv *object, const struct tuned *row)
{
    jv_int(object, "threads", row->threads);
    jv_int(object, "streams", row->streams);
    jv_int(object, "batch", row->batch);
    jv_real(object, "pictures_per_s", row->pictures_per_s);
    jv_real(object, "p50_ms", row->p50_ms);
}

static void model_put(struct tuner *tuner, const struct tuned *best)
{
    struct jv *object = jv_push_object(tuner->all);
    jv_text(object, "model", best->model);
    jv_text(object, "device", best->device);
    jv_text(object, "name", best->name);
    row_put(jv_put_object(object, "best"), best);
    struct jv *measured = jv_put_array(object, "measured");
    for (int i = 0; i < tuner->count; i++)
        row_put(jv_push_object(measured), &tuner->rows[i]);
}

static bool model_tune(struct tuner *tuner, const struct model_entry *entry, struct error *err)
{
    const struct tune_how how = {.device = tuner->options->device,
                                 .visible = tuner->options->visible,
                                 .each_s = (double)tuner->options->each_ms / 1e3,
                                 .tell = row_keep,
                                 .context = tuner};
    struct tuned best;
    tuner->count = 0;
    if (!tune(tuner->runtime, entry, &how, &best, err))
        return error_wrap(err, "%s@%s", entry->name, entry->version);
    if (tuner->all) {
        model_put(tuner, &best);
    } else {
        row_print(&best, '*');
        printf("\n");
    }
    return tuning_keep(tuner->path, &best, err);
}

static bool entry_tune(struct tuner *tuner, const struct model_entry *entry, struct error *err)
{
    if (entry->problem[0])
        return error_set(err, ERROR_INVALID, "%s@%s: %s", entry->name, entry->version,
                         entry->problem);
    return model_tune(tuner, entry, err);
}

/* One model that does not run leaves the others their turn. */
static bool models_tune(struct tuner *tuner, const struct models *models, const char *which,
                        struct error *err)
{
    int wanted = which ? models_find(models, which) : -1;
    if (which && wanted < 0)
        return error_set(err, ERROR_NOT_FOUND, "model %s is not installed", which);
    if (which)
        return entry_tune(tuner, &models->entries[wanted], err);
    for (int i = 0; i < models->count; i++) {
        struct error why = {.kind = ERROR_INTERNAL};
        if (entry_tune(tuner, &models->entries[i], &why))
            continue;
        fprintf(stderr, "left out: %s\n", why.text);
        tuner->left_out++;
    }
    return true;
}

static bool finish(const struct tuner *tuner, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(MAX_OUTPUT);
    if (!tuner->all) {
        printf("* is kept in %s and used from the next start on\n", tuner->path);
        return true;
    }
    if (!jv_write(tuner->all, true, &text, err))
        return false;
    printf("%s\n", buf_string(&text));
    return true;
}

static bool tune_run(void *raw_daemon, const void *raw, struct operands operands, struct error *err)
{
    const struct daemon *daemon = raw_daemon;
    const struct options *options = raw;
    AUTO(mem_free) char *path = xasprintf("%s/tuning.json", options->data);
    AUTO(mem_free) char *beside = xasprintf("%s/models", options->data);
    AUTO(models_dispose) struct models models = {0};
    AUTO(mem_free) struct tuner *tuner = xcalloc(1, sizeof *tuner);
    AUTO(jv_free) struct jv *all = options->json ? jv_array() : NULL;
    char problem[160];
    if (!dir_make(options->data, err) ||
        !models_read(daemon->paths.models, options->models ? options->models : beside, &models,
                     problem, sizeof problem, err))
        return false;
    AUTO(runtime_close) struct runtime *runtime = runtime_open(options->onnxruntime, err);
    if (!runtime)
        return false;
    tuner->options = options;
    tuner->runtime = runtime;
    tuner->path = path;
    tuner->all = all;
    if (!models_tune(tuner, &models, operands.count ? operands.items[0] : NULL, err) ||
        !finish(tuner, err))
        return false;
    return tuner->left_out == 0 ||
           error_set(err, ERROR_INVALID, "%d of %d models could not be measured", tuner->left_out,
                     models.count);
}

const struct command command_tune = {
    .name = "tune",
    .operands = "[MODEL]",
    .summary = "Measure how models run best on this device, and keep it",
    .details =
        "For each model, or the one that is named: how many threads, pictures at the same time "
        "and pictures in one run give the most, where more is taken only if it gains 5 %. What "
        "is found is kept for this model on this device and used from the next start on, unless "
        "IMAGE_THREADS or IMAGE_STREAMS say otherwise. Stop the service meanwhile: who else "
        "uses the device spoils the figures.",
    .options = rows,
    .defaults = &(const struct options){.data = "data", .device = "cpu", .each_ms = 400},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = tune_run,
};
