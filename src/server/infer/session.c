/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "infer/control_internal.h"
#include "infer/kept_internal.h"
#include "infer/pinned_internal.h"
#include "infer/session_internal.h"
#include "infer/trace.h"

static const struct {
    ONNXTensorElementDataType theirs;
    enum tensor_type ours;
} types[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, TENSOR_F32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, TENSOR_F16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, TENSOR_I32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, TENSOR_I64},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, TENSOR_U8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, TENSOR_BOOL},
};

static enum tensor_type type_of(ONNXTensorElementDataType theirs)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].theirs == theirs)
            return types[i].ours;
    return TENSOR_OTHER;
}

static ONNXTensorElementDataType type_to(enum tensor_type ours)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].ours == ours)
            return types[i].theirs;
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

/* Type, rank and dims of one input or output. Sequences and maps become TENSOR_OTHER. */
static bool shape_of(const struct runtime *runtime, const OrtTensorTypeAndShapeInfo *shape,
                     enum tensor_type *out_type, int *out_rank, int64_t dims[TENSOR_RANK],
                     struct error *err)
{
    ONNXTensorElementDataType type;
    size_t rank;
    if (!ort_ok(runtime, runtime->api->GetTensorElementType(shape, &type), err) ||
        !ort_ok(runtime, runtime->api->GetDimensionsCount(shape, &rank), err))
        return false;
    if (rank > TENSOR_RANK)
        return error_set(err, ERROR_INVALID, "a tensor has %zu dimensions", rank);
    *out_type = type_of(type);
    *out_rank = (int)rank;
    return ort_ok(runtime, runtime->api->GetDimensions(shape, dims, rank), err);
}

typedef OrtStatus *port_name_function(const OrtSession *, size_t, OrtAllocator *, char **);
typedef OrtStatus *port_type_function(const OrtSession *, size_t, OrtTypeInfo **);

static bool port_read(struct session *session, size_t index, port_name_function *get_name,
                      port_type_function *get_type, struct tensor_info *out, struct error *err)
{
    const struct runtime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    OrtAllocator *allocator;
    char *name;
    if (!ort_ok(runtime, api->GetAllocatorWithDefaultOptions(&allocator), err) ||
        !ort_ok(runtime, get_name(session->session, index, allocator, &name), err))
        return false;
    out->name = xstrdup(name);
    if (!ort_ok(runtime, api->AllocatorFree(allocator, name), err))
        return false;

    OrtTypeInfo *info;
    if (!ort_ok(runtime, get_type(session->session, index, &info), err))
        return false;
    const OrtTensorTypeAndShapeInfo *shape = NULL;
    bool read = ort_ok(runtime, api->CastTypeInfoToTensorInfo(info, &shape), err);
    if (read && shape)
        read = shape_of(runtime, shape, &out->type, &out->rank, out->dims, err);
    api->ReleaseTypeInfo(info);
    return read;
}

static bool ports_read(struct session *session, struct error *err)
{
    const OrtApi *api = session->runtime->api;
    size_t inputs, outputs;
    if (!ort_ok(session->runtime, api->SessionGetInputCount(session->session, &inputs), err) ||
        !ort_ok(session->runtime, api->SessionGetOutputCount(session->session, &outputs), err))
        return false;
    if (inputs > MAX_PORTS || outputs > MAX_PORTS)
        return error_set(err, ERROR_INVALID, "the model has %zu inputs and %zu outputs", inputs,
                         outputs);
    for (size_t i = 0; i < inputs; i++, session->input_count++)
        if (!port_read(session, i, api->SessionGetInputName, api->SessionGetInputTypeInfo,
                       &session->inputs[i], err))
            return false;
    for (size_t i = 0; i < outputs; i++, session->output_count++)
        if (!port_read(session, i, api->SessionGetOutputName, api->SessionGetOutputTypeInfo,
                       &session->outputs[i], err))
            return false;
    return true;
}

static bool session_create(struct session *session, const char *path,
                           const struct session_options *options, const struct device *device,
                           struct error *err)
{
    struct runtime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    OrtSessionOptions *settings = session_settings(runtime, options, device, err);
    if (!settings)
        return false;
    OrtStatus *status =
        options->model_data
            ? api->CreateSessionFromArray(runtime->env, options->model_data, options->model_size,
                                          settings, &session->session)
            : api->CreateSession(runtime->env, path, settings, &session->session);
    bool made = ort_ok(runtime, status, err);
    api->ReleaseSessionOptions(settings);
    if (made)
        memcpy(session->device, device->name, sizeof session->device);
    if (made && device->cuda) {
        snprintf(session->arena, sizeof session->arena, "gpu:%d", device->index);
        session->pinned = pinned_open(runtime, session->session);
    } else if (made && options->arena_limit_bytes) {
        snprintf(session->arena, sizeof session->arena, "cpu:0");
    }
    return made;
}

/* On the device that was asked for, or on the CPU with a note of why. */
static bool session_start(struct session *session, const char *path,
                          const struct session_options *options, struct error *err)
{
    struct device device;
    if (!device_parse(options->device, &device, err))
        return false;
    if (session_create(session, path, options, &device, err))
        return true;
    if (!device.cuda || options->device_required)
        return false;
    struct error on_cpu;
    struct device cpu = {.name = "cpu"};
    if (!session_create(session, path, options, &cpu, &on_cpu)) {
        *err = on_cpu;
        return false;
    }
    session->fallback =
        xasprintf("asked for %s, running on cpu: %s", device.name, err ? err->text : "refused");
    return true;
}

static bool session_open_here(struct session *session, const char *path,
                              const struct session_options *options, struct error *err)
{
    const struct runtime *runtime = session->runtime;
    return session_start(session, path, options, err) && ports_read(session, err) &&
           ort_ok(runtime,
                  runtime->api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault,
                                                    &session->memory),
                  err);
}

struct session *session_open(struct runtime *runtime, const char *path,
                             const struct session_options *options, struct error *err)
{
    struct error local;
    err = err ? err : &local;
    AUTO(session_close) struct session *session = xcalloc(1, sizeof *session);
    session->runtime = runtime;
    if (runtime->child) /* the other process names the model in its errors */
        return apart_open(session, path, options, err) ? TAKE(session) : NULL;
    session->kept = kept_new();
    if (session_open_here(session, path, options, err))
        return TAKE(session);
    error_wrap(err, "model %s", path ? path : "in memory");
    return NULL;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    if (session->memory)
        session->runtime->api->ReleaseMemoryInfo(session->memory);
    pinned_close(session->pinned);
    kept_free(session->kept);
    if (session->session)
        session->runtime->api->ReleaseSession(session->session);
    apart_close(session->apart);
    for (int i = 0; i < MAX_PORTS; i++) {
        free(session->inputs[i].name);
        free(session->outputs[i].name);
    }
    free(session->fallback);
    free(session);
}

const struct tensor_info *session_inputs(const struct session *session, int *out_count)
{
    *out_count = session->input_count;
    return session->inputs;
}

const struct tensor_info *session_outputs(const struct session *session, int *out_count)
{
    *out_count = session->output_count;
    return session->outputs;
}

static int find(const struct tensor_info *ports, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(ports[i].name, name) == 0)
            return i;
    return -1;
}

int session_input(const struct session *session, const char *name)
{
    return find(session->inputs, session->input_count, name);
}

int session_output(const struct session *session, const char *name)
{
    return find(session->outputs, session->output_count, name);
}

const char *session_device(const struct session *session)
{
    return session->device;
}

const char *session_fallback(const struct session *session)
{
    return session->fallback;
}

/* `tensor` with its data in `memory`, as a value. */
static bool value_wrap(const struct session *session, const OrtMemoryInfo *memory,
                       const struct tensor *tensor, OrtValue **out_value, struct error *err)
{
    size_t size = tensor_count(tensor->rank, tensor->dims) * tensor_type_size(tensor->type);
    return ort_ok(session->runtime,
                  session->runtime->api->CreateTensorWithDataAsOrtValue(
                      memory, tensor->data, size, tensor->dims, (size_t)tensor->rank,
                      type_to(tensor->type), out_value),
                  err);
}

/* Copies what the runtime allocated. */
static bool value_copy(const struct session *session, OrtValue *value, struct tensor *out,
                       struct error *err)
{
    const struct runtime *runtime = session->runtime;
    const OrtApi *api = runtime->api;
    OrtTensorTypeAndShapeInfo *shape;
    void *data;
    if (!ort_ok(runtime, api->GetTensorTypeAndShape(value, &shape), err))
        return false;
    bool read = shape_of(runtime, shape, &out->type, &out->rank, out->dims, err) &&
                ort_ok(runtime, api->GetTensorMutableData(value, &data), err);
    api->ReleaseTensorTypeAndShapeInfo(shape);
    if (!read)
        return false;
    size_t size = tensor_count(out->rank, out->dims) * tensor_type_size(out->type);
    out->data = tensor_room(size);
    if (!out->data)
        return error_set(err, ERROR_LIMIT, "no memory for %zu bytes of output", size);
    memcpy(out->data, data, size);
    return true;
}

struct values {
    struct session *session;
    struct pinned_slot *slot; /* or NULL */
    OrtValue *in[MAX_PORTS], *out[MAX_PORTS];
    const char *in_names[MAX_PORTS], *out_names[MAX_PORTS];
    const void *staged[MAX_PORTS]; /* where out[i] is made, if that is in the slot */
};

static void values_dispose_auto(const struct values *values)
{
    const OrtApi *api = values->session->runtime->api;
    for (int i = 0; i < MAX_PORTS; i++) {
        if (values->in[i])
            api->ReleaseValue(values->in[i]);
        if (values->out[i])
            api->ReleaseValue(values->out[i]);
    }
    if (values->slot)
        pinned_give(values->session->pinned, values->slot);
}

static size_t bytes_of_tensor(const struct tensor *tensor)
{
    return tensor_count(tensor->rank, tensor->dims) * tensor_type_size(tensor->type);
}

static bool input_stage(struct values *values, const struct session_run *run, int i,
                        struct error *err)
{
    const struct session *session = values->session;
    struct tensor tensor = run->inputs[i];
    size_t size = bytes_of_tensor(&tensor);
    void *room = values->slot ? pinned_room(session->pinned, values->slot, i, size) : NULL;
    values->in_names[i] = session->inputs[i].name;
    if (!room)
        return value_wrap(session, session->memory, &tensor, &values->in[i], err);
    memcpy(room, tensor.data, size);
    tensor.data = room;
    return value_wrap(session, pinned_memory(session->pinned), &tensor, &values->in[i], err);
}

/* Where the caller wants it, in the slot when the model says how large it will be, or wherever the
 * runtime puts it. */
static bool output_stage(struct values *values, const struct session_run *run, int i,
                         struct error *err)
{
    const struct session *session = values->session;
    const struct tensor_info *info = &session->outputs[run->wanted[i]];
    struct tensor tensor = run->out[i];
    values->out_names[i] = info->name;
    if (!tensor.data) {
        tensor = (struct tensor){.type = info->type, .rank = info->rank};
        memcpy(tensor.dims, info->dims, sizeof tensor.dims);
    }
    size_t size = values->slot ? bytes_of_tensor(&tensor) : 0; /* 0 where a size is not known */
    void *room = size ? pinned_room(session->pinned, values->slot, MAX_PORTS + i, size) : NULL;
    if (room) {
        values->staged[i] = tensor.data = room;
        return value_wrap(session, pinned_memory(session->pinned), &tensor, &values->out[i], err);
    }
    return !run->out[i].data || value_wrap(session, session->memory, &tensor, &values->out[i], err);
}

/* The options of one run, which another thread may use to end it. */
struct options {
    const struct runtime *runtime;
    OrtRunOptions *raw; /* NULL: the usual ones */
};

static void options_dispose_auto(const struct options *options)
{
    if (options->raw)
        options->runtime->api->ReleaseRunOptions(options->raw);
}

static bool options_make(const struct session *session, const struct session_run *run,
                         struct options *out, struct error *err)
{
    const OrtApi *api = out->runtime->api;
    bool shrink = run->shrink && session->arena[0];
    if (!run->control && !shrink)
        return true;
    return ort_ok(out->runtime, api->CreateRunOptions(&out->raw), err) &&
           (!shrink || ort_ok(out->runtime,
                              api->AddRunConfigEntry(
                                  out->raw, "memory.enable_memory_arena_shrinkage", session->arena),
                              err));
}

static void options_stop(void *context)
{
    const struct options *options = context;
    (void)ort_ok(options->runtime, options->runtime->api->RunOptionsSetTerminate(options->raw),
                 NULL);
}

static bool values_run(struct values *values, const struct session_run *run, struct error *err)
{
    struct session *session = values->session;
    AUTO(options_dispose) struct options options = {.runtime = session->runtime};
    if (!options_make(session, run, &options, err) ||
        !run_control_begin(run->control, options_stop, &options, err))
        return false;
    TRACE("network");
    OrtStatus *status = session->runtime->api->Run(
        session->session, options.raw, values->in_names, (const OrtValue *const *)values->in,
        (size_t)run->input_count, values->out_names, (size_t)run->out_count, values->out);
    run_control_end(run->control);
    return ort_ok(session->runtime, status, err);
}

static bool output_take(const struct values *values, const struct session_run *run, int i,
                        struct error *err)
{
    struct tensor *out = &run->out[i];
    if (!out->data)
        return value_copy(values->session, values->out[i], out, err);
    if (values->staged[i])
        memcpy(out->data, values->staged[i], bytes_of_tensor(out));
    return true;
}

static bool run_here(struct session *session, const struct session_run *run, struct error *err)
{
    AUTO(values_dispose) struct values values = {.session = session};
    bool allocated[MAX_PORTS] = {false}, done = true;
    if (session->pinned)
        values.slot = pinned_take(session->pinned);
    for (int i = 0; i < run->input_count && done; i++)
        done = input_stage(&values, run, i, err);
    for (int i = 0; i < run->out_count && done; i++) {
        allocated[i] = !run->out[i].data;
        done = output_stage(&values, run, i, err);
    }
    done = done && values_run(&values, run, err);
    for (int i = 0; i < run->out_count && done; i++)
        done = output_take(&values, run, i, err);
    for (int i = 0; i < run->out_count && !done; i++)
        if (allocated[i])
            tensor_dispose(&run->out[i]);
    return done;
}

static struct kept_set *first_run(const struct session_run *run, struct error *err)
{
    const struct session_first *first = run->first;
    struct tensor made[SESSION_FIRST] = {0};
    const struct session_run request = {.inputs = first->input,
                                        .input_count = 1,
                                        .wanted = first->from,
                                        .out = made,
                                        .out_count = first->count,
                                        .control = run->control,
                                        .shrink = run->shrink};
    if (!run_here(first->session, &request, err))
        return NULL;
    return kept_add(first->session->kept, first->key, made, first->count, mono_ms());
}

static bool run_behind(struct session *session, const struct session_run *run, struct error *err)
{
    const struct session_first *first = run->first;
    struct tensor inputs[MAX_PORTS];
    struct session_run request = *run;
    struct kept_set *set = kept_find(first->session->kept, first->key, mono_ms());
    if (first->out_kept)
        *first->out_kept = set != NULL;
    if (!set)
        set = first_run(run, err);
    if (!set)
        return false;
    memcpy(inputs, run->inputs, (size_t)run->input_count * sizeof *inputs);
    for (int i = 0; i < first->count; i++)
        inputs[first->to[i]] = set->tensors[i];
    request.inputs = inputs;
    bool done = run_here(session, &request, err);
    kept_leave(first->session->kept, set);
    return done;
}

bool session_run(struct session *session, const struct session_run *run, struct error *err)
{
    if (session->apart)
        return apart_run(session, run, err);
    return run->first ? run_behind(session, run, err) : run_here(session, run, err);
}

bool session_forget(struct session *session)
{
    return session->kept && kept_forget(session->kept, mono_ms());
}
