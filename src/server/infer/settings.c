/* SPDX-License-Identifier: Apache-2.0 */
/* Session options for a device. The CUDA provider can fail at three points: when it is appended
 * (a library is missing), when its options are set (no usable GPU) and when the session is made
 * (a driver that is only a stub). */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "infer/runtime_internal.h"

bool device_parse(const char *text, struct device *out, struct error *err)
{
    *out = (struct device){.name = "cpu"};
    if (!text || strcmp(text, "cpu") == 0)
        return true;
    int64_t index = 0;
    if (strcmp(text, "cuda") != 0 &&
        !(text_starts(text, "cuda:") && text_int(text + 5, 0, 63, &index)))
        return error_set(err, ERROR_INVALID, "device \"%s\": use cpu, cuda or cuda:N", text);
    out->cuda = true;
    out->index = (int)index;
    snprintf(out->name, sizeof out->name, "cuda:%d", out->index);
    return true;
}

bool runtime_device_check(const char *device, struct error *err)
{
    struct device parsed;
    return device_parse(device, &parsed, err);
}

static bool cuda_options(const struct runtime *runtime, const struct session_options *options,
                         const struct device *device, OrtCUDAProviderOptionsV2 *cuda,
                         struct error *err)
{
    char index[8], limit[24];
    snprintf(index, sizeof index, "%d", device->index);
    snprintf(limit, sizeof limit, "%zu", options->arena_limit_bytes);
    const char *keys[] = {"device_id", "arena_extend_strategy", "cudnn_conv_algo_search",
                          "gpu_mem_limit"};
    const char *values[] = {index, "kSameAsRequested", "HEURISTIC", limit};
    size_t count = options->arena_limit_bytes ? 4 : 3;
    return ort_ok(runtime, runtime->api->UpdateCUDAProviderOptions(cuda, keys, values, count),
                  err) ||
           error_wrap(err, "no usable GPU %d", device->index);
}

static bool append_cuda(const struct runtime *runtime, const struct session_options *options,
                        const struct device *device, OrtSessionOptions *settings, struct error *err)
{
    const OrtApi *api = runtime->api;
    if (!runtime_has_provider(runtime, "CUDAExecutionProvider"))
        return error_set(err, ERROR_UNAVAILABLE, "%s was built without CUDA", runtime->name);
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    if (!ort_ok(runtime, api->CreateCUDAProviderOptions(&cuda), err))
        return error_wrap(err, "load the CUDA provider");
    bool done = cuda_options(runtime, options, device, cuda, err);
    if (done &&
        !ort_ok(runtime, api->SessionOptionsAppendExecutionProvider_CUDA_V2(settings, cuda), err))
        done = error_wrap(err, "load the CUDA provider");
    api->ReleaseCUDAProviderOptions(cuda);
    return done;
}

/* Without a limit nothing is held back between runs; with one, the shared arena keeps to it. All
 * tensors in one piece are more than malloc keeps for the next run, and clearing that much memory
 * anew takes an eighth of the time of a large network. */
static bool cpu_memory(struct runtime *runtime, size_t limit_bytes, OrtSessionOptions *settings,
                       struct error *err)
{
    const OrtApi *api = runtime->api;
    if (limit_bytes == 0)
        return ort_ok(runtime, api->DisableCpuMemArena(settings), err) &&
               ort_ok(runtime, api->DisableMemPattern(settings), err);
    return runtime_arena(runtime, limit_bytes, err) &&
           ort_ok(runtime, api->AddSessionConfigEntry(settings, "session.use_env_allocators", "1"),
                  err);
}

static bool fill(struct runtime *runtime, const struct session_options *options,
                 const struct device *device, OrtSessionOptions *settings, struct error *err)
{
    const OrtApi *api = runtime->api;
    int threads = options->threads > 0 ? options->threads : 1;
    size_t limit_bytes = device->cuda ? 0 : options->arena_limit_bytes;
    /* Spinning threads would take the cores that coding and decoding need. */
    return ort_ok(runtime, api->SetIntraOpNumThreads(settings, threads), err) &&
           ort_ok(runtime, api->SetInterOpNumThreads(settings, 1), err) &&
           ort_ok(runtime, api->SetSessionGraphOptimizationLevel(settings, ORT_ENABLE_ALL), err) &&
           ort_ok(runtime,
                  api->AddSessionConfigEntry(settings, "session.intra_op.allow_spinning", "0"),
                  err) &&
           cpu_memory(runtime, limit_bytes, settings, err) &&
           (!device->cuda || append_cuda(runtime, options, device, settings, err));
}

OrtSessionOptions *session_settings(struct runtime *runtime, const struct session_options *options,
                                    const struct device *device, struct error *err)
{
    OrtSessionOptions *settings = NULL;
    if (!ort_ok(runtime, runtime->api->CreateSessionOptions(&settings), err))
        return NULL;
    if (fill(runtime, options, device, settings, err))
        return settings;
    runtime->api->ReleaseSessionOptions(settings);
    return NULL;
}
