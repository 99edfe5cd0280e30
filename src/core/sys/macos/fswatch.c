/* SPDX-License-Identifier: Apache-2.0 */
/* kqueue through libuv: one handle a folder. The system says that a folder changed and at most
 * which name, so every report is FSWATCH_CONTENT and the caller looks for itself. */
#include "sys/fswatch.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/error.h"
#include "base/mem.h"

struct folder {
    uv_fs_event_t handle; /* first, so that a handle is its folder */
    struct fswatch *watch;
    uint32_t id;
    bool changed;
};

struct fswatch {
    uv_loop_t loop;
    pthread_mutex_t lock;    /* guards folders, count and the loop while folders are claimed */
    struct folder **folders; /* by token */
    size_t count;
};

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct folder *folder = (struct folder *)handle;
    folder->changed = true;
    (void)name, (void)events, (void)status;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

struct fswatch *fswatch_new(struct error *err)
{
    struct fswatch *watch = xcalloc(1, sizeof *watch);
    if (uv_loop_init(&watch->loop) != 0) {
        error_set(err, ERROR_LIMIT, "watch files: no event loop");
        free(watch);
        return NULL;
    }
    pthread_mutex_init(&watch->lock, NULL);
    return watch;
}

void fswatch_free(struct fswatch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->count; i++)
        if (watch->folders[i])
            uv_close((uv_handle_t *)watch->folders[i], on_closed);
    uv_run(&watch->loop, UV_RUN_DEFAULT);
    uv_loop_close(&watch->loop);
    pthread_mutex_destroy(&watch->lock);
    free(watch->folders);
    free(watch);
}

int fswatch_fd(const struct fswatch *watch)
{
    return uv_backend_fd(&watch->loop);
}

int fswatch_claim(struct fswatch *watch, int fd, struct error *err)
{
    char path[PATH_MAX];
    if (fcntl(fd, F_GETPATH, path) != 0) {
        error_set(err, ERROR_INTERNAL, "watch folder: it has no path");
        return -1;
    }
    struct folder *folder = xcalloc(1, sizeof *folder);
    folder->watch = watch;
    pthread_mutex_lock(&watch->lock);
    uv_fs_event_init(&watch->loop, &folder->handle);
    int failed = uv_fs_event_start(&folder->handle, on_event, path, 0);
    int token = (int)watch->count;
    if (failed) {
        uv_close((uv_handle_t *)folder, on_closed);
        token = -1;
    } else {
        watch->folders = xreallocarray(watch->folders, watch->count + 1, sizeof *watch->folders);
        watch->folders[watch->count++] = folder;
    }
    pthread_mutex_unlock(&watch->lock);
    if (failed)
        error_set(err, ERROR_LIMIT, "watch %s: %s", path, uv_strerror(failed));
    return token;
}

static void drop_token(struct fswatch *watch, size_t token)
{
    uv_close((uv_handle_t *)watch->folders[token], on_closed);
    watch->folders[token] = NULL;
}

void fswatch_drop(struct fswatch *watch, uint32_t id)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->folders[i] && watch->folders[i]->id == id)
            drop_token(watch, i);
}

void fswatch_bind(struct fswatch *watch, int token, uint32_t id)
{
    fswatch_drop(watch, id);
    watch->folders[token]->id = id;
}

bool fswatch_bound(const struct fswatch *watch, uint32_t id)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->folders[i] && watch->folders[i]->id == id)
            return true;
    return false;
}

bool fswatch_read(struct fswatch *watch, fswatch_got *got, void *context, bool *out_more,
                  struct error *err)
{
    (void)err;
    *out_more = false;
    uv_run(&watch->loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < watch->count; i++) {
        struct folder *folder = watch->folders[i];
        if (!folder || !folder->changed || !folder->id)
            continue;
        folder->changed = false;
        got(context,
            &(struct fswatch_event){.id = folder->id, .what = FSWATCH_CONTENT, .name = ""});
    }
    return true;
}
