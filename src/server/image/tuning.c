/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tuning.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "infer/gpu.h"

enum { MAX_FILE = 64 * 1024 };

static struct jv *file_parse(const char *path)
{
    AUTO(buf_dispose) struct buf text = BUF(MAX_FILE);
    if (access(path, R_OK) != 0 || !file_read(path, &text, NULL))
        return NULL;
    AUTO(jv_free) struct jv *file = jv_parse(buf_bytes(&text), NULL);
    return jv_get_int(file, "version", 0) == 1 ? TAKE(file) : NULL;
}

static int number_of(const struct jv *entry, const char *key, int most)
{
    int64_t value = jv_get_int(entry, key, 1);
    return value < 1 ? 1 : value > most ? most : (int)value;
}

static bool same(const struct jv *entry, const struct tuned *tuned)
{
    return strcmp(jv_get_text(entry, "model", ""), tuned->model) == 0 &&
           strcmp(jv_get_text(entry, "device", ""), tuned->device) == 0 &&
           strcmp(jv_get_text(entry, "name", ""), tuned->name) == 0;
}

bool tuning_find(const char *path, const struct tuned *like, struct tuned *out)
{
    AUTO(jv_free) struct jv *file = file_parse(path);
    const struct jv *all = jv_get(file, "measured");
    for (size_t i = 0; i < jv_size(all) && i < TUNING_MAX; i++) {
        const struct jv *entry = jv_at(all, i);
        if (!same(entry, like))
            continue;
        *out = *like;
        out->threads = number_of(entry, "threads", 64);
        out->streams = number_of(entry, "streams", 16);
        out->batch = number_of(entry, "batch", BATCH_MAX);
        out->pictures_per_s = jv_get_real(entry, "pictures_per_s", 0);
        out->p50_ms = jv_get_real(entry, "p50_ms", 0);
        return true;
    }
    return false;
}

static void entry_put(struct jv *all, const struct tuned *tuned)
{
    struct jv *entry = jv_push_object(all);
    jv_text(entry, "model", tuned->model);
    jv_text(entry, "device", tuned->device);
    jv_text(entry, "name", tuned->name);
    jv_int(entry, "threads", tuned->threads);
    jv_int(entry, "streams", tuned->streams);
    jv_int(entry, "batch", tuned->batch);
    jv_real(entry, "pictures_per_s", tuned->pictures_per_s);
    jv_real(entry, "p50_ms", tuned->p50_ms);
}

bool tuning_keep(const char *path, const struct tuned *tuned, struct error *err)
{
    AUTO(jv_free) struct jv *old = file_parse(path);
    AUTO(jv_free) struct jv *file = jv_object();
    AUTO(buf_dispose) struct buf text = BUF(MAX_FILE);
    jv_int(file, "version", 1);
    struct jv *all = jv_put_array(file, "measured");
    entry_put(all, tuned);
    const struct jv *others = jv_get(old, "measured");
    for (size_t i = 0; i < jv_size(others) && i + 1 < TUNING_MAX; i++) {
        const struct jv *entry = jv_at(others, i);
        if (same(entry, tuned))
            continue;
        struct jv *copy = jv_copy(entry);
        jv_push(all, &copy);
    }
    return jv_write(file, true, &text, err) && file_write(path, buf_bytes(&text), err);
}

static void processor_name(char out[TUNING_NAME])
{
    char line[256], model[64] = "processor";
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        if (!value || !text_starts(line, "model name"))
            continue;
        snprintf(model, sizeof model, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
        break;
    }
    if (file)
        fclose(file);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(out, TUNING_NAME, "%s, %ld %s", model, cores, cores == 1 ? "core" : "cores");
}

void device_name(const char *device, const char *visible, char out[TUNING_NAME])
{
    if (strcmp(device, "cpu") == 0) {
        processor_name(out);
        return;
    }
    struct gpu_state state;
    AUTO(gpus_close) struct gpus *gpus = gpus_open(visible, NULL);
    bool known = gpus && gpus_read(gpus, device, &state, NULL);
    snprintf(out, TUNING_NAME, "%s", known ? state.name : "a graphics card");
}
