/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/runtime.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "infer/child_internal.h"
#include "infer/library.h"
#include "infer/runtime_internal.h"

/* The C API only grows, so a binary made for 21 runs on everything newer. */
enum { API_VERSION = 21 };

typedef const OrtApiBase *api_base_function(void);

static enum error_kind kind_of(OrtErrorCode code, const char *text)
{
    if (strstr(text, "terminate flag"))
        return ERROR_CANCELLED;
    if (strstr(text, "out of memory") || strstr(text, "bad_alloc") ||
        strstr(text, "Failed to allocate") || strstr(text, "Available memory"))
        return ERROR_LIMIT;
    switch (code) {
    case ORT_INVALID_ARGUMENT:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
    case ORT_NO_MODEL:
        return ERROR_INVALID;
    case ORT_NO_SUCHFILE:
        return ERROR_NOT_FOUND;
    default:
        return ERROR_INTERNAL;
    }
}

/* Where in the library's own sources it happened, "/x/model.cc:177 ns::f(int, g(*)()) ": from here
 * on; NULL when it is not told. */
static const char *place_find(const char *text, const char **out_end)
{
    const char *dot = strstr(text, ".cc:");
    if (!dot)
        dot = strstr(text, ".h:");
    if (!dot)
        return NULL;
    const char *begin = dot, *end = strchr(dot, ':') + 1;
    while (begin > text && !strchr(" :\t", begin[-1]))
        begin--;
    end += strspn(end, "0123456789");
    const char *open = strchr(end, '('), *at = open;
    int depth = 0;
    for (; at && *at; at++) {
        depth += (*at == '(') - (*at == ')');
        if (depth == 0 && at[1] != '(')
            break;
    }
    if (at && *at)
        end = at + 1;
    *out_end = end + strspn(end, " ");
    return begin;
}

/* What is for a person: without the path, which whoever calls tells, and without places. */
static void tell(const char *text, char *out, size_t size)
{
    static const char loading[] = "Load model from ", failed[] = " failed:";
    const char *end, *after = strstr(text, failed);
    if (text_starts(text, loading) && after)
        text = after + strlen(failed);
    const char *place = place_find(text, &end);
    int length = (int)(place ? place - text : (ptrdiff_t)strlen(text));
    snprintf(out, size, "%.*s%s", length, text, place ? end : "");
    out[strcspn(out, "\r\n")] = '\0';
}

bool ort_ok(const struct runtime *runtime, OrtStatus *status, struct error *err)
{
    if (!status)
        return true;
    const char *text = runtime->api->GetErrorMessage(status);
    char told[161];
    tell(text, told, sizeof told);
    error_set(err, kind_of(runtime->api->GetErrorCode(status), text), "ONNX Runtime: %s", told);
    runtime->api->ReleaseStatus(status);
    return false;
}

static void ORT_API_CALL on_log(void *context, OrtLoggingLevel level, const char *category,
                                const char *id, const char *place, const char *message)
{
    (void)context, (void)level, (void)category, (void)id;
    log_debug("onnxruntime", LOG_TEXT("place", place), LOG_TEXT("message", message));
}

static bool environment(struct runtime *runtime, struct error *err)
{
    const OrtApi *api = runtime->api;
    OrtStatus *status = api->CreateEnvWithCustomLogger(on_log, NULL, ORT_LOGGING_LEVEL_ERROR,
                                                       "vmad", &runtime->env);
    if (!ort_ok(runtime, status, err))
        return false;
    status = api->DisableTelemetryEvents(runtime->env);
    if (status)
        api->ReleaseStatus(status);
    return true;
}

static bool arena_register(struct runtime *runtime, size_t bytes, struct error *err)
{
    const OrtApi *api = runtime->api;
    const char *const keys[] = {"max_mem", "arena_extend_strategy"};
    const size_t values[] = {bytes, 1}; /* grows by what is asked for, not by doubling */
    OrtMemoryInfo *memory = NULL;
    OrtArenaCfg *arena = NULL;
    if (!ort_ok(runtime, api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory),
                err))
        return false;
    bool done = ort_ok(runtime, api->CreateArenaCfgV2(keys, values, 2, &arena), err) &&
                ort_ok(runtime, api->CreateAndRegisterAllocator(runtime->env, memory, arena), err);
    if (arena)
        api->ReleaseArenaCfg(arena);
    api->ReleaseMemoryInfo(memory);
    return done;
}

bool runtime_arena(struct runtime *runtime, size_t bytes, struct error *err)
{
    pthread_mutex_lock(&runtime->lock);
    bool there = runtime->arena_bytes || arena_register(runtime, bytes, err);
    if (there && !runtime->arena_bytes)
        runtime->arena_bytes = bytes;
    pthread_mutex_unlock(&runtime->lock);
    return there;
}

struct runtime *runtime_open(const char *library, struct error *err)
{
    AUTO(runtime_close) struct runtime *runtime = xcalloc(1, sizeof *runtime);
    pthread_mutex_init(&runtime->lock, NULL);
    runtime->library = library_load(library, runtime->name, sizeof runtime->name, err);
    if (!runtime->library)
        return NULL;
    api_base_function *base = NULL;
    *(void **)&base = dlsym(runtime->library, "OrtGetApiBase");
    runtime->api = base ? base()->GetApi(API_VERSION) : NULL;
    if (!runtime->api) {
        error_set(err, ERROR_UNAVAILABLE, "%s is older than ONNX Runtime 1.21", runtime->name);
        return NULL;
    }
    snprintf(runtime->version, sizeof runtime->version, "%s", base()->GetVersionString());
    return environment(runtime, err) ? TAKE(runtime) : NULL;
}

struct runtime *runtime_open_apart(const char *program, const char *library, struct error *err)
{
    struct child *child = child_new(program, library, err);
    if (!child)
        return NULL;
    struct runtime *runtime = xcalloc(1, sizeof *runtime);
    runtime->child = child;
    pthread_mutex_init(&runtime->lock, NULL);
    return runtime;
}

struct runtime_state runtime_state(struct runtime *runtime)
{
    struct runtime_state state = {0};
    if (runtime->child)
        child_state(runtime->child, &state);
    return state;
}

void runtime_close(struct runtime *runtime)
{
    if (!runtime)
        return;
    child_free(runtime->child);
    if (runtime->env)
        runtime->api->ReleaseEnv(runtime->env);
    pthread_mutex_destroy(&runtime->lock);
    /* The library stays mapped: its threads and static objects do not survive dlclose. */
    free(runtime);
}

/* Under the lock: a process that is apart says it when it is there. */
static void names_read(struct runtime *runtime)
{
    struct wire_hello hello;
    if (!runtime->child || runtime->name[0] || !child_hello(runtime->child, &hello, NULL))
        return;
    snprintf(runtime->name, sizeof runtime->name, "%s", hello.library);
    snprintf(runtime->version, sizeof runtime->version, "%s", hello.runtime);
}

const char *runtime_version(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    names_read(runtime);
    pthread_mutex_unlock(&runtime->lock);
    return runtime->version;
}

const char *runtime_library(struct runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    names_read(runtime);
    pthread_mutex_unlock(&runtime->lock);
    return runtime->name;
}

bool runtime_has_provider(const struct runtime *runtime, const char *name)
{
    char **names = NULL;
    int count = 0;
    bool found = false;
    if (!ort_ok(runtime, runtime->api->GetAvailableProviders(&names, &count), NULL))
        return false;
    for (int i = 0; i < count; i++)
        found |= strcmp(names[i], name) == 0;
    return ort_ok(runtime, runtime->api->ReleaseAvailableProviders(names, count), NULL) && found;
}
