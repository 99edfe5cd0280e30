/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX Runtime: the library, found and loaded when the program runs, and one environment.
 *
 * Search order: the path that the caller names (ONNXRUNTIME_LIB), beside the program's
 * installation (../lib/vmad, ../lib), .deps of the source tree that the program was built in,
 * the system's library path. Threads may share a runtime and a session. */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/hash.h"
#include "infer/tensor.h"

struct error;
struct runtime;

/* `library` is a file, or NULL to search. ERROR_UNAVAILABLE says where was looked. */
MUST_USE struct runtime *runtime_open(const char *library, struct error *err);
/* The same in a process of its own (`program` NULL: vmad-infer beside this program), which is
 * started at once and not waited for. When it dies, what it was running is done again in a new one,
 * and refused (ERROR_INVALID, inference_died) when that dies of it as well; what hangs is ended. A
 * picture takes a copy of its tensors longer there, less than a millisecond for 12 MB. */
MUST_USE struct runtime *runtime_open_apart(const char *program, const char *library,
                                            struct error *err);
void runtime_close(struct runtime *runtime);
static inline void runtime_close_auto(struct runtime **runtime)
{
    runtime_close(*runtime);
}
const char *runtime_version(struct runtime *runtime); /* "1.28.2" */
const char *runtime_library(struct runtime *runtime); /* the file that was loaded */
/* For health and metrics. */
struct runtime_state {
    bool apart;
    int64_t pid;     /* of the process that is apart; 0: it is not running */
    uint64_t deaths; /* of such processes so far */
};
struct runtime_state runtime_state(struct runtime *runtime);
/* Was the library, loaded here, built with this execution provider ("CUDAExecutionProvider")? That
 * it works is known only when a session is there. */
bool runtime_has_provider(const struct runtime *runtime, const char *name);

struct session_options {
    const char *device;       /* "cpu", "cuda", "cuda:1"; NULL is "cpu" */
    int threads;              /* for one operator; 0 means 1 */
    size_t arena_limit_bytes; /* of the device's (CPU: the process's) arena; 0: no arena at all */
    bool device_required;     /* fail rather than fall back to the CPU */
    const void *model_data;   /* the model itself instead of a file; only while opening */
    size_t model_size;        /* bytes */
};

/* A loaded model. */
struct session;
MUST_USE struct session *session_open(struct runtime *runtime, const char *path,
                                      const struct session_options *options, struct error *err);
void session_close(struct session *session);
static inline void session_close_auto(struct session **session)
{
    session_close(*session);
}

/* Borrowed from the session. */
const struct tensor_info *session_inputs(const struct session *session, int *out_count);
const struct tensor_info *session_outputs(const struct session *session, int *out_count);
/* Index by name, or -1. */
int session_input(const struct session *session, const char *name);
int session_output(const struct session *session, const char *name);

/* Whether it is a device's name at all; NULL is. */
MUST_USE bool runtime_device_check(const char *device, struct error *err);

/* What runs: "cpu", "cuda:0"; and why not what was asked, or NULL when it is that. */
const char *session_device(const struct session *session);
const char *session_fallback(const struct session *session);

/* Lets another thread end a run early: the network stops after the operator that it is at. One
 * run at a time goes under a control; what was cancelled stays so until it is reset. */
struct run_control;
MUST_USE struct run_control *run_control_new(void);
void run_control_cancel(struct run_control *control);
void run_control_reset(struct run_control *control);
void run_control_free(struct run_control *control);
static inline void run_control_free_auto(struct run_control **control)
{
    run_control_free(*control);
}

/* A network that runs before this one, of the same runtime, with `count` of its outputs as inputs
 * of this one: output from[i] becomes input to[i] (those of `inputs` are not looked at). They stay
 * where the networks run, and those of the last few inputs are kept there for a minute, by the
 * input's key: so whoever asks about one picture several times has it looked at once. */
enum { SESSION_FIRST = 4 };
struct session_first {
    struct session *session;
    const struct tensor *input; /* it has one */
    struct hash128 key;
    int from[SESSION_FIRST], to[SESSION_FIRST], count;
    bool *out_kept; /* NULL, or: was it kept? */
};

/* One inference, blocking. `inputs` are in the order of session_inputs. `wanted` names outputs by
 * index; out[i] is allocated (tensor_dispose) unless its data is set: then it must have the type
 * and the dims that the model gives. ERROR_CANCELLED after run_control_cancel, ERROR_LIMIT when
 * memory ran out. `control` may be NULL. */
struct session_run {
    const struct session_first *first; /* or NULL */
    const struct tensor *inputs;
    const int *wanted;
    struct tensor *out;
    int input_count, out_count;
    struct run_control *control;
    bool shrink; /* gives what the arena holds back to the device afterwards */
};
MUST_USE bool session_run(struct session *session, const struct session_run *run,
                          struct error *err);
/* Lets go of what was kept (see session_first) and not asked for in the last minute; true while
 * something is left. */
bool session_forget(struct session *session);
