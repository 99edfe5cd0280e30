/* SPDX-License-Identifier: Apache-2.0 */
/* An ONNX Runtime with faults: the real library with some functions in front of it that fail in the
 * ways that graphics cards and their drivers do, worded as the library words them. It is named in
 * ONNXRUNTIME_LIB. STAND_IN_REAL is the real library's file and STAND_IN a list of words:
 *
 *     cuda              there is a CUDA provider, and it works (on the CPU)
 *     cuda-library      it is compiled in, but one of its libraries is missing
 *     cuda-device       there is no device
 *     cuda-session      the driver is only a stub: it fails when a session is made
 *     cuda-memory=N     what runs on it has memory for inputs of N numbers
 *
 * And always: a network that is given an all red picture ends its process, one that is given an all
 * blue one never returns. */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <onnxruntime_c_api.h>

enum { MARKS = 64, MAX_PROVIDERS = 16 };

static const OrtApi *real;
static OrtApi api;
static const OrtApiBase *real_base;

/* Options and sessions that are for CUDA. */
static _Atomic(const void *) marks[MARKS];

static void mark(const void *what)
{
    for (int i = 0; i < MARKS; i++) {
        const void *none = NULL;
        if (atomic_compare_exchange_strong(&marks[i], &none, what))
            return;
    }
}

static bool unmark(const void *what)
{
    for (int i = 0; i < MARKS; i++) {
        const void *same = what;
        if (atomic_compare_exchange_strong(&marks[i], &same, NULL))
            return true;
    }
    return false;
}

static bool marked(const void *what)
{
    for (int i = 0; i < MARKS; i++)
        if (atomic_load(&marks[i]) == what)
            return true;
    return false;
}

/* Is `word` in STAND_IN? *out_value is what follows its "=". */
static bool told(const char *word, const char **out_value)
{
    const char *at = getenv("STAND_IN");
    size_t length = strlen(word);
    for (; at && *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, word, length) == 0 && strchr(",=", at[length])) {
            if (out_value)
                *out_value = at + length + 1;
            return true;
        }
    return false;
}

static bool has_cuda(void)
{
    return told("cuda", NULL) || told("cuda-library", NULL) || told("cuda-device", NULL) ||
           told("cuda-session", NULL);
}

static OrtStatus *ORT_API_CALL get_providers(char ***out, int *out_count)
{
    char **names;
    int count = 0;
    OrtStatus *status = real->GetAvailableProviders(&names, &count);
    if (status)
        return status;
    *out = calloc(MAX_PROVIDERS, sizeof **out);
    *out_count = 0;
    if (has_cuda())
        (*out)[(*out_count)++] = strdup("CUDAExecutionProvider");
    for (int i = 0; i < count && *out_count < MAX_PROVIDERS; i++)
        (*out)[(*out_count)++] = strdup(names[i]);
    return real->ReleaseAvailableProviders(names, count);
}

static OrtStatus *ORT_API_CALL release_providers(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return NULL;
}

static OrtStatus *ORT_API_CALL cuda_create(OrtCUDAProviderOptionsV2 **out)
{
    *out = malloc(1);
    return NULL;
}

static void ORT_API_CALL cuda_release(OrtCUDAProviderOptionsV2 *options)
{
    free(options);
}

static OrtStatus *ORT_API_CALL cuda_update(OrtCUDAProviderOptionsV2 *options,
                                           const char *const *keys, const char *const *values,
                                           size_t count)
{
    (void)options, (void)keys, (void)values, (void)count;
    if (told("cuda-device", NULL))
        return real->CreateStatus(ORT_EP_FAIL, "CUDA failure 100: no CUDA-capable device is "
                                               "detected ; GPU=-1 ; hostname=stand-in ; ");
    return NULL;
}

static OrtStatus *ORT_API_CALL cuda_append(OrtSessionOptions *settings,
                                           const OrtCUDAProviderOptionsV2 *options)
{
    (void)options;
    if (told("cuda-library", NULL))
        return real->CreateStatus(
            ORT_FAIL,
            "Failed to load library libonnxruntime_providers_cuda.so with error: "
            "libcublasLt.so.13: cannot open shared object file: No such file or directory");
    mark(settings);
    return NULL;
}

static void ORT_API_CALL release_settings(OrtSessionOptions *settings)
{
    (void)unmark(settings);
    real->ReleaseSessionOptions(settings);
}

static OrtStatus *ORT_API_CALL create_session(const OrtEnv *env, const char *path,
                                              const OrtSessionOptions *settings, OrtSession **out)
{
    if (marked(settings) && told("cuda-session", NULL))
        return real->CreateStatus(ORT_EP_FAIL, "CUDA failure 35: CUDA driver version is "
                                               "insufficient for CUDA runtime version ; GPU=0 ; ");
    OrtStatus *status = real->CreateSession(env, path, settings, out);
    if (!status && marked(settings))
        mark(*out);
    return status;
}

static void ORT_API_CALL release_session(OrtSession *session)
{
    (void)unmark(session);
    real->ReleaseSession(session);
}

/* A run's arena of the device is none of the real library's. */
static OrtStatus *ORT_API_CALL add_run_entry(OrtRunOptions *options, const char *key,
                                             const char *value)
{
    return strncmp(value, "gpu:", 4) == 0 ? NULL : real->AddRunConfigEntry(options, key, value);
}

/* Memory that the card can reach is ordinary memory here. */
static OrtStatus *ORT_API_CALL create_memory_info(const char *name, enum OrtAllocatorType type,
                                                  int id, enum OrtMemType kind, OrtMemoryInfo **out)
{
    bool pinned = strcmp(name, "CudaPinned") == 0 && told("cuda", NULL);
    return real->CreateMemoryInfo(pinned ? "Cpu" : name, type, id,
                                  pinned ? OrtMemTypeDefault : kind, out);
}

/* Numbers of the first input; its first pixel where it is a picture. */
static size_t look_at(const OrtValue *value, float rgb[3])
{
    OrtTensorTypeAndShapeInfo *shape = NULL;
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    int64_t dims[4] = {0};
    size_t rank = 0, count = 0;
    void *data = NULL;
    if (real->GetTensorTypeAndShape(value, &shape))
        return 0;
    bool known = !real->GetTensorElementType(shape, &type) &&
                 !real->GetDimensionsCount(shape, &rank) &&
                 !real->GetTensorShapeElementCount(shape, &count);
    if (known && rank == 4 && type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT &&
        !real->GetDimensions(shape, dims, 4) && dims[1] == 3 &&
        !real->GetTensorMutableData((OrtValue *)(uintptr_t)value, &data))
        for (int i = 0; i < 3; i++)
            rgb[i] = ((const float *)data)[i * dims[2] * dims[3]];
    real->ReleaseTensorTypeAndShapeInfo(shape);
    return count;
}

static OrtStatus *misbehave(const OrtSession *session, const OrtValue *input)
{
    float rgb[3] = {0};
    const char *limit;
    size_t count = look_at(input, rgb);
    if (rgb[0] > 0.9f && rgb[1] < 0.1f && rgb[2] < 0.1f) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        abort();
    }
    while (rgb[2] > 0.9f && rgb[0] < 0.1f && rgb[1] < 0.1f)
        pause();
    if (marked(session) && told("cuda-memory", &limit) && count > strtoul(limit, NULL, 10))
        return real->CreateStatus(
            ORT_RUNTIME_EXCEPTION,
            "Non-zero status code returned while running Conv node. Name:'/bb/Conv' Status "
            "Message: "
            "bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal Failed to allocate "
            "memory for requested buffer of size 402653184");
    return NULL;
}

static OrtStatus *ORT_API_CALL run(OrtSession *session, const OrtRunOptions *options,
                                   const char *const *in_names, const OrtValue *const *inputs,
                                   size_t in_count, const char *const *out_names, size_t out_count,
                                   OrtValue **outputs)
{
    OrtStatus *status = in_count ? misbehave(session, inputs[0]) : NULL;
    return status ? status
                  : real->Run(session, options, in_names, inputs, in_count, out_names, out_count,
                              outputs);
}

static const OrtApi *ORT_API_CALL get_api(uint32_t version)
{
    real = real_base->GetApi(version);
    if (!real)
        return NULL;
    memcpy(&api, real, sizeof api);
    api.GetAvailableProviders = get_providers;
    api.ReleaseAvailableProviders = release_providers;
    api.CreateCUDAProviderOptions = cuda_create;
    api.ReleaseCUDAProviderOptions = cuda_release;
    api.UpdateCUDAProviderOptions = cuda_update;
    api.SessionOptionsAppendExecutionProvider_CUDA_V2 = cuda_append;
    api.ReleaseSessionOptions = release_settings;
    api.CreateSession = create_session;
    api.ReleaseSession = release_session;
    api.AddRunConfigEntry = add_run_entry;
    api.CreateMemoryInfo = create_memory_info;
    api.Run = run;
    return &api;
}

static const char *ORT_API_CALL get_version(void)
{
    return real_base->GetVersionString();
}

__attribute__((visibility("default"))) const OrtApiBase *ORT_API_CALL OrtGetApiBase(void)
{
    static const OrtApiBase base = {get_api, get_version};
    const OrtApiBase *(*get)(void) = NULL;
    const char *file = getenv("STAND_IN_REAL");
    void *library = dlopen(file ? file : "libonnxruntime.so", RTLD_NOW | RTLD_LOCAL);
    if (library)
        *(void **)&get = dlsym(library, "OrtGetApiBase");
    if (!get) {
        fprintf(stderr, "stand-in: %s\n", dlerror());
        abort();
    }
    real_base = get();
    return &base;
}
