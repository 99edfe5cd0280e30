/* SPDX-License-Identifier: Apache-2.0 */
/* FSEvents: one stream for a whole tree, begun with the first folder that is claimed in it. kqueue
 * would need a descriptor for every file, and libuv's use of FSEvents passes over the flags that
 * tell of lost events. CoreServices is opened at run time, so that the program is linked with
 * nothing but libSystem; its few functions are declared here as Apple documents them. */
#include "sys/fswatch.h"

#include <dispatch/dispatch.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "sys/fds.h"
#include "sys/fsevents.h"

enum { EVENTS_MAX = 64 * 1024 }; /* kept until they are read; more than that is a scan */
static const double LATENCY_S = 0.005;
enum { CREATE_NO_DEFER = 0x2, CREATE_WATCH_ROOT = 0x4, CREATE_FILE_EVENTS = 0x10 };
#define SINCE_NOW UINT64_MAX

typedef void stream_callback(const void *stream, void *context, size_t count, void *paths,
                             const uint32_t *flags, const uint64_t *ids);
struct stream_context {
    long version;
    void *info;
    const void *retain, *release, *describe;
};

struct services {
    void *foundation, *core;
    const void *(*string_new)(const void *allocator, const char *path);
    const void *(*array_new)(const void *allocator, const void **values, long count,
                             const void *callbacks);
    void (*release)(const void *object);
    void *(*stream_new)(const void *allocator, stream_callback *callback,
                        struct stream_context *context, const void *paths, uint64_t since,
                        double latency, uint32_t flags);
    void (*stream_set_queue)(void *stream, dispatch_queue_t queue);
    unsigned char (*stream_start)(void *stream);
    void (*stream_stop)(void *stream);
    void (*stream_invalidate)(void *stream);
    void (*stream_release)(void *stream);
};

struct event {
    char *path;
    uint32_t flags;
};

struct stream {
    struct stream *next;
    void *handle;
    char *root;
};

struct fswatch {
    pthread_mutex_t lock; /* guards all below but services and queue */
    struct services services;
    dispatch_queue_t queue; /* its thread calls on_events */
    int bell[2];            /* a pipe with a byte in it while there are events */
    struct fsevents_folders *folders;
    struct stream *streams;
    struct event *events;
    size_t count, capacity;
    bool lost, rung;
};

static bool find_all(struct services *services, struct error *err)
{
    const struct {
        const char *name;
        void *out; /* a function pointer */
    } wanted[] = {
        {"CFStringCreateWithFileSystemRepresentation", &services->string_new},
        {"CFArrayCreate", &services->array_new},
        {"CFRelease", &services->release},
        {"FSEventStreamCreate", &services->stream_new},
        {"FSEventStreamSetDispatchQueue", &services->stream_set_queue},
        {"FSEventStreamStart", &services->stream_start},
        {"FSEventStreamStop", &services->stream_stop},
        {"FSEventStreamInvalidate", &services->stream_invalidate},
        {"FSEventStreamRelease", &services->stream_release},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        void *found = dlsym(services->core, wanted[i].name);
        if (!found)
            found = dlsym(services->foundation, wanted[i].name);
        if (!found)
            return error_set(err, ERROR_UNAVAILABLE, "watch files: the system has no %s",
                             wanted[i].name);
        memcpy(wanted[i].out, &found, sizeof found);
    }
    return true;
}

static bool services_open(struct services *services, struct error *err)
{
    static const char foundation[] =
        "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation";
    static const char core[] =
        "/System/Library/Frameworks/CoreServices.framework/Versions/A/CoreServices";
    services->foundation = dlopen(foundation, RTLD_LAZY | RTLD_LOCAL);
    services->core = dlopen(core, RTLD_LAZY | RTLD_LOCAL);
    if (!services->foundation || !services->core)
        return error_set(err, ERROR_UNAVAILABLE, "watch files: %s", dlerror());
    return find_all(services, err);
}

static void ring(struct fswatch *watch)
{
    if (!watch->rung)
        watch->rung = write(watch->bell[1], "", 1) == 1;
}

static void keep(struct fswatch *watch, const char *path, uint32_t flags)
{
    if (watch->count == EVENTS_MAX) {
        watch->lost = true;
        return;
    }
    if (watch->count == watch->capacity) {
        watch->capacity = watch->capacity ? watch->capacity * 2 : 64;
        watch->events = xreallocarray(watch->events, watch->capacity, sizeof *watch->events);
    }
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    watch->events[watch->count++] = (struct event){xstrndup(path, size), flags};
}

static void on_events(const void *stream, void *context, size_t count, void *paths,
                      const uint32_t *flags, const uint64_t *ids)
{
    struct fswatch *watch = context;
    char *const *names = paths;
    (void)stream, (void)ids;
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < count; i++)
        keep(watch, names[i], flags[i]);
    ring(watch);
    pthread_mutex_unlock(&watch->lock);
}

struct fswatch *fswatch_new(struct error *err)
{
    struct fswatch *watch = xcalloc(1, sizeof *watch);
    watch->bell[0] = watch->bell[1] = -1;
    pthread_mutex_init(&watch->lock, NULL);
    watch->folders = fsevents_folders_new();
    watch->queue = dispatch_queue_create("vma.watch", NULL);
    if (fds_pipe(watch->bell, FDS_NONBLOCKING) != 0)
        error_set(err, ERROR_LIMIT, "watch files: no more descriptors");
    else if (services_open(&watch->services, err))
        return watch;
    fswatch_free(watch);
    return NULL;
}

static void nothing(void *context)
{
    (void)context;
}

static void stream_end(const struct services *services, struct stream *stream)
{
    services->stream_stop(stream->handle);
    services->stream_invalidate(stream->handle);
    services->stream_release(stream->handle);
    free(stream->root);
    free(stream);
}

void fswatch_free(struct fswatch *watch)
{
    if (!watch)
        return;
    while (watch->streams) {
        struct stream *next = watch->streams->next;
        stream_end(&watch->services, watch->streams);
        watch->streams = next;
    }
    dispatch_sync_f(watch->queue, NULL, nothing); /* a call that is under way */
    dispatch_release(watch->queue);
    for (size_t i = 0; i < watch->count; i++)
        free(watch->events[i].path);
    free(watch->events);
    fsevents_folders_free(watch->folders);
    for (int i = 0; i < 2; i++)
        if (watch->bell[i] >= 0)
            close(watch->bell[i]);
    pthread_mutex_destroy(&watch->lock);
    free(watch); /* the frameworks stay loaded: they cannot be unloaded */
}

int fswatch_fd(const struct fswatch *watch)
{
    return watch->bell[0];
}

static bool is_within(const char *path, const char *root)
{
    size_t size = strlen(root);
    return strncmp(path, root, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool stream_begin(struct fswatch *watch, const char *root, struct error *err)
{
    const struct services *services = &watch->services;
    struct stream_context context = {.info = watch};
    const void *string = services->string_new(NULL, root);
    const void *paths = string ? services->array_new(NULL, &string, 1, NULL) : NULL;
    void *handle =
        paths ? services->stream_new(NULL, on_events, &context, paths, SINCE_NOW, LATENCY_S,
                                     CREATE_NO_DEFER | CREATE_WATCH_ROOT | CREATE_FILE_EVENTS)
              : NULL;
    bool started = false;
    if (handle) {
        services->stream_set_queue(handle, watch->queue);
        started = services->stream_start(handle);
    }
    if (paths)
        services->release(paths);
    if (string)
        services->release(string);
    if (!started) {
        if (handle) {
            services->stream_invalidate(handle);
            services->stream_release(handle);
        }
        return error_set(err, ERROR_LIMIT, "watch %s: the system begins no stream of events", root);
    }
    struct stream *stream = xmalloc(sizeof *stream);
    *stream = (struct stream){watch->streams, handle, xstrdup(root)};
    watch->streams = stream;
    return true;
}

int fswatch_claim(struct fswatch *watch, int fd, struct error *err)
{
    char path[PATH_MAX];
    if (fcntl(fd, F_GETPATH, path) != 0) {
        error_set(err, ERROR_NOT_FOUND, "watch folder: it has no path any more");
        return -1;
    }
    pthread_mutex_lock(&watch->lock);
    const struct stream *stream = watch->streams;
    while (stream && !is_within(path, stream->root))
        stream = stream->next;
    bool watched = stream || stream_begin(watch, path, err);
    int token = watched ? fsevents_claim(watch->folders, path) : -1;
    pthread_mutex_unlock(&watch->lock);
    return token;
}

void fswatch_bind(struct fswatch *watch, int token, uint32_t id)
{
    pthread_mutex_lock(&watch->lock);
    fsevents_bind(watch->folders, token, id);
    pthread_mutex_unlock(&watch->lock);
}

void fswatch_drop(struct fswatch *watch, uint32_t id)
{
    pthread_mutex_lock(&watch->lock);
    fsevents_drop(watch->folders, id);
    pthread_mutex_unlock(&watch->lock);
}

/* Only the one thread that asks binds and drops; claims by others change nothing of it. */
bool fswatch_bound(const struct fswatch *watch, uint32_t id)
{
    return fsevents_bound(watch->folders, id);
}

static enum fsevents_now look(const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return FSEVENTS_ABSENT;
    return S_ISDIR(status.st_mode) ? FSEVENTS_FOLDER : FSEVENTS_OTHER;
}

static void report(struct fswatch *watch, const struct event *event, fswatch_got *got,
                   void *context)
{
    const char *name = "";
    unsigned what = fsevents_meaning(event->flags, look(event->path));
    if (what == FSWATCH_LOST) {
        got(context, &(struct fswatch_event){.what = FSWATCH_LOST, .name = ""});
        return;
    }
    pthread_mutex_lock(&watch->lock);
    uint32_t id = fsevents_find(watch->folders, event->path, &name);
    pthread_mutex_unlock(&watch->lock);
    if (!*name && (what & FSWATCH_GONE))
        what = FSWATCH_SELF; /* the root */
    if (id && what)
        got(context, &(struct fswatch_event){.id = id, .what = what, .name = name});
}

bool fswatch_read(struct fswatch *watch, fswatch_got *got, void *context, bool *out_more,
                  struct error *err)
{
    char bytes[16];
    (void)err;
    *out_more = false;
    pthread_mutex_lock(&watch->lock);
    while (read(watch->bell[0], bytes, sizeof bytes) > 0)
        ;
    struct event *events = TAKE(watch->events);
    size_t count = watch->count;
    bool lost = watch->lost;
    watch->count = watch->capacity = 0;
    watch->lost = watch->rung = false;
    pthread_mutex_unlock(&watch->lock);
    if (lost)
        got(context, &(struct fswatch_event){.what = FSWATCH_LOST, .name = ""});
    for (size_t i = 0; i < count; i++) {
        report(watch, &events[i], got, context);
        free(events[i].path);
    }
    free(events);
    return true;
}
