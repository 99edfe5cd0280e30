/* SPDX-License-Identifier: Apache-2.0 */
/* vmad models: which networks cut people out, and which of them is in use. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "daemon/daemon.h"
#include "image/models.h"
#include "infer/runtime.h"

enum { MAX_LIST = 256 * 1024 };

struct options {
    const char *data, *models, *kind, *version, *licence, *decoder, *device, *onnxruntime;
    bool json;
};

static const char *const kinds[] = {"portrait", "birefnet", "sam2", NULL};

static const struct option rows[] = {
    OPTION_TEXT('d', "data", "DIR", data, "the service's data [./data]",
                .environment = "STORAGE_ROOT_PATH"),
    OPTION_TEXT(0, "models", "DIR", models, "installed models [DATA/models]",
                .environment = "VMAD_MODELS"),
    OPTION_CHOICE('k', "kind", "KIND", kind, "what is added: its family [birefnet]",
                  .choices = kinds),
    OPTION_TEXT(0, "model-version", "VERSION", version, "what is added: its version [1]"),
    OPTION_TEXT(0, "licence", "NAME", licence, "what is added: its licence [unknown]"),
    OPTION_TEXT(0, "decoder", "FILE", decoder, "what is added: the second file of sam2"),
    OPTION_TEXT(0, "image-device", "DEVICE", device,
                "what is added: tried on cpu, cuda or cuda:N [cpu]", .environment = "IMAGE_DEVICE"),
    OPTION_TEXT(0, "onnxruntime", "FILE", onnxruntime,
                "load this libonnxruntime.so [beside the program, then the system's]",
                .environment = "ONNXRUNTIME_LIB"),
    OPTION_FLAG(0, "json", json, "print JSON"),
    OPTION_END,
};

struct context {
    const struct options *options;
    const char *dir; /* of the installed models */
    struct models models;
};

static bool find(const struct context *context, const char *which, const struct model_entry **out,
                 struct error *err)
{
    int index = models_find(&context->models, which);
    if (index < 0)
        return error_set(err, ERROR_NOT_FOUND, "model %s is not installed", which);
    *out = &context->models.entries[index];
    return true;
}

static bool print_json(const struct models *models, struct error *err)
{
    AUTO(jv_free) struct jv *list = jv_array();
    AUTO(buf_dispose) struct buf text = BUF(MAX_LIST);
    for (int i = 0; i < models->count; i++) {
        const struct model_entry *entry = &models->entries[i];
        struct jv *object = jv_push_object(list);
        jv_text(object, "name", entry->name);
        jv_text(object, "version", entry->version);
        jv_text(object, "kind", entry->kind);
        jv_text(object, "licence", entry->licence);
        jv_int(object, "bytes", model_bytes(entry));
        jv_text(object, "sha256", entry->sha256[0]);
        jv_bool(object, "embedded", entry->embedded);
        jv_bool(object, "used", i == models->used);
        jv_text(object, "problem", entry->problem[0] ? entry->problem : NULL);
    }
    if (!jv_write(list, true, &text, err))
        return false;
    printf("%s\n", buf_string(&text));
    return true;
}

static bool list(struct context *context, struct operands operands, struct error *err)
{
    (void)operands;
    const struct models *models = &context->models;
    if (context->options->json)
        return print_json(models, err);
    for (int i = 0; i < models->count; i++) {
        const struct model_entry *entry = &models->entries[i];
        double megabytes = (double)model_bytes(entry) / 1e6;
        printf("%c %-24s %-8s %-10s %8.1f MB  %s%s%s\n", i == models->used ? '*' : ' ', entry->name,
               entry->version, entry->kind, megabytes, entry->licence,
               entry->problem[0] ? "  UNUSABLE: " : "", entry->problem);
    }
    return true;
}

/* In a process of its own, which may die of it. A machine on which nothing can be run, or not
 * enough of it at once, may be where models are kept for another. */
static bool try_out(void *raw, const struct model_source *source, struct error *err)
{
    const struct options *options = raw;
    AUTO(runtime_close) struct runtime *runtime =
        runtime_open_apart(NULL, options->onnxruntime, err);
    if (runtime && model_check(runtime, source, options->device, err))
        return true;
    if (runtime && err->kind != ERROR_LIMIT && err->kind != ERROR_UNAVAILABLE)
        return false;
    fprintf(stderr, "not tried: %s\n", err->text);
    return true;
}

static bool add(struct context *context, struct operands operands, struct error *err)
{
    const struct options *options = context->options;
    if (operands.count != 3)
        return error_set(err, ERROR_INVALID, "say: vmad models add NAME FILE");
    struct model_source source = {.name = operands.items[1],
                                  .version = options->version,
                                  .kind = options->kind,
                                  .licence = options->licence,
                                  .files = {operands.items[2], options->decoder}};
    const struct model_trial trial = {try_out, (void *)(uintptr_t)options};
    if (!models_add(context->dir, &source, &trial, err))
        return false;
    printf("%s@%s is installed; vmad models use %s@%s puts it to use\n", source.name,
           source.version, source.name, source.version);
    return true;
}

static bool verify(struct context *context, struct operands operands, struct error *err)
{
    const struct model_entry *wanted = NULL;
    if (operands.count > 1 && !find(context, operands.items[1], &wanted, err))
        return false;
    int wrong = 0, looked_at = 0;
    for (int i = 0; i < context->models.count; i++) {
        const struct model_entry *entry = &context->models.entries[i];
        if (wanted && wanted != entry)
            continue;
        looked_at++;
        if (model_verify(entry, err)) {
            printf("%s@%s is what its manifest says\n", entry->name, entry->version);
            continue;
        }
        wrong++;
        if (!wanted) /* the others are looked at all the same */
            fprintf(stderr, "%s\n", err->text);
    }
    if (wrong && !wanted)
        error_set(err, ERROR_INVALID, "%d of %d models cannot be used as they are", wrong,
                  looked_at);
    return wrong == 0;
}

static bool use(struct context *context, struct operands operands, struct error *err)
{
    const struct model_entry *entry = NULL;
    if (operands.count != 2)
        return error_set(err, ERROR_INVALID, "say: vmad models use NAME[@VERSION]");
    if (!find(context, operands.items[1], &entry, err) || !model_verify(entry, err) ||
        !models_use(context->dir, entry, err))
        return false;
    printf("%s@%s is in use\n", entry->name, entry->version);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct context *context, struct operands operands, struct error *err);
} actions[] = {{"list", list}, {"add", add}, {"verify", verify}, {"use", use}};

static bool act(struct context *context, const char *action, struct operands operands,
                struct error *err)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, action) == 0)
            return actions[i].run(context, operands, err);
    return error_set(err, ERROR_INVALID, "models %s: use list, add, verify or use", action);
}

static bool models_run(void *raw_daemon, const void *raw, struct operands operands,
                       struct error *err)
{
    const struct daemon *daemon = raw_daemon;
    const struct options *options = raw;
    AUTO(mem_free) char *beside = xasprintf("%s/models", options->data);
    struct context context = {.options = options,
                              .dir = options->models ? options->models : beside};
    char problem[160];
    if (!models_read(daemon->paths.models, context.dir, &context.models, problem, sizeof problem,
                     err))
        return false;
    if (problem[0])
        fprintf(stderr, "%s\n", problem);
    bool fine = act(&context, operands.count ? operands.items[0] : "list", operands, err);
    models_dispose(&context.models);
    return fine;
}

const struct command command_models = {
    .name = "models",
    .operands = "list | add NAME FILE | verify [NAME] | use NAME[@VERSION]",
    .summary = "List, add, check and choose the models that cut people out",
    .details =
        "A model that is added is tried first, and copied with the files beside it that hold its "
        "weights and the SHA-256 of each in a manifest. Several "
        "versions live side by side; a running service takes the one in use with the next "
        "picture. portrait is the embedded one.",
    .options = rows,
    .defaults = &(const struct options){.data = "data", .kind = "birefnet", .version = "1"},
    .options_size = sizeof(struct options),
    .max_operands = 3,
    .run = models_run,
};
