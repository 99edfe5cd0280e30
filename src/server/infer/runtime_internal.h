/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include <onnxruntime_c_api.h>

#include "infer/runtime.h"

struct child;

struct runtime {
    struct child *child; /* NULL: here, and this is it: */
    void *library;
    const OrtApi *api;
    OrtEnv *env;
    pthread_mutex_t lock; /* the next line */
    size_t arena_bytes;   /* of the arena that sessions on the CPU share; 0: there is none */
    char name[512];       /* of the library's file */
    char version[32];
};

/* True for success; otherwise turns `status` into *err and releases it. */
bool ort_ok(const struct runtime *runtime, OrtStatus *status, struct error *err);

/* Makes the arena that sessions on the CPU share, bounded to `bytes`; the first caller's size
 * counts. What does not fit into it is an error of the run, not the end of the process. */
MUST_USE bool runtime_arena(struct runtime *runtime, size_t bytes, struct error *err);

/* Options for a session on the device that was asked for; *out_device is what it will be. NULL
 * when the provider refuses, with *err saying at which step. */
struct device {
    bool cuda;
    int index;
    char name[16]; /* "cpu", "cuda:0" */
};
MUST_USE bool device_parse(const char *text, struct device *out, struct error *err);
MUST_USE OrtSessionOptions *session_settings(struct runtime *runtime,
                                             const struct session_options *options,
                                             const struct device *device, struct error *err);
