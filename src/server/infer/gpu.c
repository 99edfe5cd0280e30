/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/gpu.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

/* NVML's own types and numbers, as its reference manual has them. */
struct nvml_device;
struct nvml_rates {
    unsigned gpu, memory; /* percent */
};
struct nvml_memory {
    unsigned long long total, free, used; /* bytes */
};
enum { NVML_TEMPERATURE_GPU = 0, NVML_CLOCK_SM = 1, NVML_CLOCK_MEM = 2 };

struct gpus {
    void *library;
    char *visible; /* or NULL */
    const char *(*error_text)(int result);
    int (*init)(void);
    int (*shut_down)(void);
    int (*driver)(char *out, unsigned size);
    int (*by_index)(unsigned index, struct nvml_device **out);
    int (*by_uuid)(const char *uuid, struct nvml_device **out);
    int (*name)(struct nvml_device *device, char *out, unsigned size);
    int (*rates)(struct nvml_device *device, struct nvml_rates *out);
    int (*memory)(struct nvml_device *device, struct nvml_memory *out);
    int (*temperature)(struct nvml_device *device, int sensor, unsigned *out);
    int (*power)(struct nvml_device *device, unsigned *out_mw);
    int (*clock)(struct nvml_device *device, int domain, unsigned *out_mhz);
    bool begun;
};

static bool functions_find(struct gpus *gpus, struct error *err)
{
    const struct {
        const char *name;
        void **place;
    } wanted[] = {
        {"nvmlErrorString", (void **)&gpus->error_text},
        {"nvmlInit_v2", (void **)&gpus->init},
        {"nvmlShutdown", (void **)&gpus->shut_down},
        {"nvmlSystemGetDriverVersion", (void **)&gpus->driver},
        {"nvmlDeviceGetHandleByIndex_v2", (void **)&gpus->by_index},
        {"nvmlDeviceGetHandleByUUID", (void **)&gpus->by_uuid},
        {"nvmlDeviceGetName", (void **)&gpus->name},
        {"nvmlDeviceGetUtilizationRates", (void **)&gpus->rates},
        {"nvmlDeviceGetMemoryInfo", (void **)&gpus->memory},
        {"nvmlDeviceGetTemperature", (void **)&gpus->temperature},
        {"nvmlDeviceGetPowerUsage", (void **)&gpus->power},
        {"nvmlDeviceGetClockInfo", (void **)&gpus->clock},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        *wanted[i].place = dlsym(gpus->library, wanted[i].name);
        if (!*wanted[i].place)
            return error_set(err, ERROR_UNAVAILABLE, "libnvidia-ml.so.1 has no %s", wanted[i].name);
    }
    return true;
}

static bool fine(const struct gpus *gpus, int result, const char *what, struct error *err)
{
    return result == 0 ||
           error_set(err, ERROR_UNAVAILABLE, "NVML: %s: %s", what, gpus->error_text(result));
}

struct gpus *gpus_open(const char *visible, struct error *err)
{
    AUTO(gpus_close) struct gpus *gpus = xcalloc(1, sizeof *gpus);
    gpus->visible = visible && *visible ? xstrdup(visible) : NULL;
    gpus->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!gpus->library) {
        error_set(err, ERROR_UNAVAILABLE, "no NVIDIA driver: libnvidia-ml.so.1 is not installed");
        return NULL;
    }
    if (!functions_find(gpus, err) || !fine(gpus, gpus->init(), "begin", err))
        return NULL;
    gpus->begun = true;
    return TAKE(gpus);
}

void gpus_close(struct gpus *gpus)
{
    if (!gpus)
        return;
    if (gpus->begun)
        gpus->shut_down();
    if (gpus->library)
        dlclose(gpus->library);
    free(gpus->visible);
    free(gpus);
}

/* The `index`-th of those that are visible, which are named by number or "GPU-…". */
static int find(struct gpus *gpus, int index, struct nvml_device **out)
{
    char word[64] = "";
    const char *at = gpus->visible;
    if (!at)
        return gpus->by_index((unsigned)index, out);
    for (; index > 0 && *at; index--)
        at += strcspn(at, ","), at += *at == ',';
    snprintf(word, sizeof word, "%.*s", (int)strcspn(at, ","), at);
    int64_t number = 0;
    return text_int(word, 0, 1023, &number) ? gpus->by_index((unsigned)number, out)
                                            : gpus->by_uuid(word, out);
}

static int known(int result, unsigned value)
{
    return result == 0 ? (int)value : -1;
}

static void numbers_read(struct gpus *gpus, struct nvml_device *device, struct gpu_state *out)
{
    struct nvml_rates rates = {0, 0};
    struct nvml_memory memory = {0, 0, 0};
    unsigned value = 0;
    int result = gpus->rates(device, &rates);
    out->busy_percent = known(result, rates.gpu);
    out->memory_busy_percent = known(result, rates.memory);
    result = gpus->memory(device, &memory);
    out->memory_used_bytes = result == 0 ? (int64_t)memory.used : -1;
    out->memory_bytes = result == 0 ? (int64_t)memory.total : -1;
    result = gpus->temperature(device, NVML_TEMPERATURE_GPU, &value);
    out->temperature_c = known(result, value);
    result = gpus->power(device, &value);
    out->power_w = result == 0 ? value / 1e3 : -1;
    result = gpus->clock(device, NVML_CLOCK_SM, &value);
    out->clock_mhz = known(result, value);
    result = gpus->clock(device, NVML_CLOCK_MEM, &value);
    out->memory_clock_mhz = known(result, value);
}

bool gpus_read(struct gpus *gpus, const char *device, struct gpu_state *out, struct error *err)
{
    struct nvml_device *found = NULL;
    int64_t index = 0;
    *out = (struct gpu_state){.name = ""};
    if (!text_starts(device, "cuda") || (device[4] == ':' && !text_int(device + 5, 0, 63, &index)))
        return error_set(err, ERROR_INVALID, "%s is no graphics card", device);
    if (!fine(gpus, find(gpus, (int)index, &found), device, err) ||
        !fine(gpus, gpus->name(found, out->name, sizeof out->name), "a card's name", err))
        return false;
    if (gpus->driver(out->driver, sizeof out->driver) != 0)
        out->driver[0] = '\0';
    numbers_read(gpus, found, out);
    return true;
}

PRINTF_LIKE(4, 5)
static void add(char *out, unsigned long size, bool is_known, const char *format, ...)
{
    size_t used = strlen(out);
    va_list list;
    va_start(list, format);
    if (is_known && used < size)
        vsnprintf(out + used, size - used, format, list);
    va_end(list);
}

void gpu_text(const struct gpu_state *state, char *out, unsigned long size)
{
    const double mib = 1 << 20;
    snprintf(out, size, "%s:", state->name);
    add(out, size, state->busy_percent >= 0, " %d %% busy,", state->busy_percent);
    add(out, size, state->memory_bytes >= 0, " %.0f of %.0f MiB,",
        (double)state->memory_used_bytes / mib, (double)state->memory_bytes / mib);
    add(out, size, state->temperature_c >= 0, " %d C,", state->temperature_c);
    add(out, size, state->power_w >= 0, " %.0f W,", state->power_w);
    add(out, size, state->clock_mhz >= 0, " %d MHz,", state->clock_mhz);
    out[strlen(out) - 1] = '\0';
}
