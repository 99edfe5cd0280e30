/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "image/cutter.h"
#include "image/loaded_internal.h"
#include "media/picture.h"
#include "sys/memory.h"

void loaded_free(struct loaded *loaded)
{
    if (!loaded)
        return;
    cutter_close(loaded->cutter);
    cutter_close(loaded->spare);
    for (int i = 0; i < MODEL_FILES; i++)
        free(loaded->paths[i]);
    pthread_cond_destroy(&loaded->arrived);
    pthread_mutex_destroy(&loaded->lock);
    free(loaded);
}

int loaded_side(struct loaded *loaded)
{
    pthread_mutex_lock(&loaded->lock);
    int side = loaded->side && mono_ms() < loaded->side_until_ms ? loaded->side : 0;
    pthread_mutex_unlock(&loaded->lock);
    return side;
}

/* A process's resident memory now, or at its highest since the last reset. */
static size_t memory_read(const char *process, const char *field)
{
    char line[256], path[64];
    unsigned long kib = 0;
    size_t length = strlen(field);
    snprintf(path, sizeof path, "/proc/%s/status", process);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, length) == 0)
            kib = strtoul(line + length + 1, NULL, 10);
    if (file)
        fclose(file);
    return (size_t)kib * 1024;
}

static void memory_reset(const char *process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/clear_refs", process);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1)
        log_debug("image.memory_not_measured");
}

/* One picture, to know time and memory of the next. It also warms the model up. A model that does
 * not fit at its usual size begins at the one that fits. */
static bool measure(struct loaded *loaded, struct error *err)
{
    AUTO(picture_dispose) struct picture grey = picture_new(64, 64, PICTURE_RGB);
    AUTO(picture_dispose) struct picture mask = {0};
    struct scheduler *scheduler = scheduler_new(&(struct scheduler_settings){0});
    struct attempt attempt = {.scheduler = scheduler, .loaded = loaded, .photo = &grey};
    memset(grey.pixels, 128, grey.stride * 64);
    struct runtime_state runs = runtime_state(loaded->runtime);
    char process[24] = "self";
    if (runs.apart)
        snprintf(process, sizeof process, "%lld", (long long)runs.pid);
    memory_trim(); /* what others left behind would be used again, and not be counted */
    memory_reset(process);
    size_t before = memory_read(process, "VmRSS:");
    int64_t start_ns = mono_ns();
    bool done = attempt_run(&attempt, &mask, err);
    scheduler_free(scheduler);
    size_t highest = memory_read(process, "VmHWM:");
    loaded->seconds = (double)(mono_ns() - start_ns) / 1e9;
    loaded->memory_bytes = highest > before ? highest - before : 0;
    return done;
}

struct loaded *loaded_open(struct runtime *runtime, const struct model_entry *entry,
                           const struct session_options *options, struct error *err)
{
    AUTO(loaded_free) struct loaded *loaded = xcalloc(1, sizeof *loaded);
    struct cutter_files files = {entry->kind, entry->paths[0], entry->paths[1]};
    pthread_mutex_init(&loaded->lock, NULL);
    pthread_cond_init(&loaded->arrived, NULL);
    model_key(entry, loaded->key);
    memcpy(loaded->kind, entry->kind, sizeof loaded->kind);
    for (int i = 0; i < MODEL_FILES && entry->paths[i]; i++)
        loaded->paths[i] = xstrdup(entry->paths[i]);
    loaded->runtime = runtime;
    loaded->threads = options->threads > 0 ? options->threads : 1;
    loaded->batch = 1;
    loaded->users = 1;
    loaded->cutter = cutter_open(runtime, &files, options, err);
    if (!loaded->cutter || !measure(loaded, err))
        return NULL;
    const char *why = cutter_fallback(loaded->cutter);
    log_info("image.model", LOG_TEXT("model", loaded->key),
             LOG_TEXT("device", cutter_device(loaded->cutter)), LOG_TEXT("why", why ? why : ""),
             LOG_INT("memory_bytes", (int64_t)loaded->memory_bytes),
             LOG_REAL("seconds", loaded->seconds));
    return TAKE(loaded);
}
