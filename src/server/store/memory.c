/* SPDX-License-Identifier: Apache-2.0 */
/* A store that forgets everything at its end. For tests. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store_internal.h"

struct blob {
    struct blob *next;
    struct store_key key;
    struct buf content;
    int64_t modified_ms;
};

struct memory {
    struct store base;
    pthread_mutex_t lock; /* of all below */
    struct blob *blobs;
    char *scratch; /* a folder, made when it is first asked for */
    unsigned next_scratch;
};

static struct blob **find(struct memory *self, const struct store_key *key)
{
    struct blob **at = &self->blobs;
    while (*at && ((*at)->key.class != key->class || strcmp((*at)->key.name, key->name) != 0))
        at = &(*at)->next;
    return at;
}

static void blob_remove(struct blob **at)
{
    struct blob *blob = *at;
    *at = blob->next;
    buf_dispose(&blob->content);
    free(blob);
}

static bool memory_put(struct store *store, const struct store_key *key, struct bytes content,
                       struct error *err)
{
    struct memory *self = (struct memory *)store;
    struct blob *blob = xmalloc(sizeof *blob);
    *blob = (struct blob){.key = *key, .content = BUF(SIZE_MAX / 2), .modified_ms = wall_ms()};
    if (!buf_append(&blob->content, content, err)) {
        free(blob);
        return false;
    }
    pthread_mutex_lock(&self->lock);
    struct blob **at = find(self, key);
    if (*at)
        blob_remove(at);
    blob->next = self->blobs;
    self->blobs = blob;
    pthread_mutex_unlock(&self->lock);
    return true;
}

static bool memory_adopt(struct store *store, const struct store_key *key, const char *path,
                         struct error *err)
{
    AUTO(buf_dispose) struct buf content = BUF(SIZE_MAX / 2);
    if (!file_read(path, &content, err) || !memory_put(store, key, buf_bytes(&content), err))
        return false;
    unlink(path);
    return true;
}

static bool memory_open(struct store *store, const struct store_key *key, struct store_object *out,
                        struct error *err)
{
    struct memory *self = (struct memory *)store;
    AUTO(fd_close) int fd = memfd_create("artifact", MFD_CLOEXEC);
    if (fd < 0)
        return error_os(err, errno, "memfd");
    pthread_mutex_lock(&self->lock);
    struct blob *blob = *find(self, key);
    bool fine = blob && fd_write_all(fd, buf_bytes(&blob->content), err);
    if (fine)
        *out = (struct store_object){.size_bytes = (int64_t)blob->content.size,
                                     .modified_ms = blob->modified_ms};
    pthread_mutex_unlock(&self->lock);
    if (!fine)
        return blob ? false : store_missing(key, err);
    lseek(fd, 0, SEEK_SET);
    out->fd = fd_take(&fd);
    return true;
}

static bool memory_renew(struct store *store, const struct store_key *key)
{
    struct memory *self = (struct memory *)store;
    pthread_mutex_lock(&self->lock);
    struct blob *blob = *find(self, key);
    if (blob)
        blob->modified_ms = wall_ms();
    pthread_mutex_unlock(&self->lock);
    return blob != NULL;
}

static bool memory_remove(struct store *store, const struct store_key *key, struct error *err)
{
    struct memory *self = (struct memory *)store;
    pthread_mutex_lock(&self->lock);
    struct blob **at = find(self, key);
    if (*at)
        blob_remove(at);
    pthread_mutex_unlock(&self->lock);
    return true;
}

static char *memory_scratch(struct store *store, const char *suffix, struct error *err)
{
    struct memory *self = (struct memory *)store;
    pthread_mutex_lock(&self->lock);
    if (!self->scratch) {
        self->scratch = xstrdup("/tmp/store-XXXXXX");
        if (!mkdtemp(self->scratch)) {
            error_os(err, errno, "make %s", self->scratch);
            free(TAKE(self->scratch));
        }
    }
    char *path = NULL;
    if (self->scratch)
        path = xasprintf("%s/%u%s", self->scratch, self->next_scratch++, suffix);
    pthread_mutex_unlock(&self->lock);
    return path;
}

static char *memory_path(struct store *store, const struct store_key *key, struct error *err)
{
    AUTO(buf_dispose) struct buf content = BUF(SIZE_MAX / 2);
    if (!store_get(store, key, &content, err))
        return NULL;
    AUTO(mem_free) char *path = memory_scratch(store, "", err);
    return path && file_write(path, buf_bytes(&content), err) ? TAKE(path) : NULL;
}

static bool memory_room(struct store *store, int64_t bytes, struct error *err)
{
    return true;
}

static bool memory_sweep(struct store *store, int64_t now_ms, int64_t *out_removed,
                         struct error *err)
{
    *out_removed = 0;
    return true;
}

static bool memory_usage(struct store *store, struct store_usage *out, struct error *err)
{
    struct memory *self = (struct memory *)store;
    *out = (struct store_usage){.free_bytes = INT64_MAX};
    pthread_mutex_lock(&self->lock);
    for (const struct blob *blob = self->blobs; blob; blob = blob->next) {
        out->classes[blob->key.class].files++;
        out->classes[blob->key.class].bytes += (int64_t)blob->content.size;
    }
    pthread_mutex_unlock(&self->lock);
    return true;
}

static void memory_free(struct store *store)
{
    struct memory *self = (struct memory *)store;
    while (self->blobs)
        blob_remove(&self->blobs);
    struct error err;
    if (self->scratch && !tree_remove(self->scratch, &err))
        log_warn("store.scratch_left", LOG_ERROR(&err));
    free(self->scratch);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

struct store *store_memory_new(void)
{
    static const struct store_ops ops = {
        memory_put,     memory_adopt, memory_open,  memory_path,  memory_renew, memory_remove,
        memory_scratch, memory_room,  memory_sweep, memory_usage, memory_free,
    };
    struct memory *self = xcalloc(1, sizeof *self);
    self->base.ops = &ops;
    pthread_mutex_init(&self->lock, NULL);
    return &self->base;
}
