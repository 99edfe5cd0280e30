/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts in a local directory:
 *
 *     ROOT/video/3f/0123….mp4     what is published; 3f is a hash of the name
 *     ROOT/tmp/AbCdEf/17.mp4      what one process is making; the folder is locked while that
 *                                 process lives, and removed by the next one after its death
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/local_internal.h"
#include "store/store_internal.h"

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
static const int64_t default_reserve = INT64_C(256) * 1000 * 1000;

enum { UNGUARDED_BYTES = 1000 * 1000 };

static struct local *local_of(struct store *store)
{
    return (struct local *)store;
}

static void shard_path(const struct local *self, const struct store_key *key, char out[PATH_MAX])
{
    struct hash128 hash = hash128_of(bytes_of(key->name));
    snprintf(out, PATH_MAX, "%s/%s/%02x", self->root, store_class_name(key->class), hash.bytes[0]);
}

static void final_path(const struct local *self, const struct store_key *key, char out[PATH_MAX])
{
    shard_path(self, key, out);
    size_t length = strlen(out);
    snprintf(out + length, PATH_MAX - length, "/%s", key->name);
}

static bool sync_path(const char *path, struct error *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return error_os(err, errno, "sync %s", path);
    return true;
}

/* Uploads and videos must survive the loss of power once we have said that they are there. */
static bool durable(const struct store_key *key)
{
    return key->class != STORE_INTERMEDIATE;
}

static bool shard_make(const char *shard, const struct store_key *key, struct error *err)
{
    if (mkdir(shard, 0700) != 0)
        return errno == EEXIST || error_os(err, errno, "make %s", shard);
    if (!durable(key))
        return true;
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", shard);
    *strrchr(parent, '/') = '\0';
    return sync_path(parent, err);
}

static void account(struct local *self, enum store_class class, int64_t files, int64_t bytes)
{
    atomic_fetch_add(&self->classes[class].files, files);
    atomic_fetch_add(&self->classes[class].bytes, bytes);
}

/* Moves a complete file to where it is visible. */
static bool publish(struct local *self, const struct store_key *key, const char *from,
                    struct error *err)
{
    char shard[PATH_MAX], to[PATH_MAX];
    struct stat new, old;
    shard_path(self, key, shard);
    final_path(self, key, to);
    if (stat(from, &new) != 0)
        return error_os(err, errno, "look at %s", from);
    if (!shard_make(shard, key, err) || (durable(key) && !sync_path(from, err)))
        return false;
    bool replaces = stat(to, &old) == 0;
    if (rename(from, to) != 0)
        return error_os(err, errno, "rename %s", from);
    account(self, key->class, replaces ? 0 : 1, new.st_size - (replaces ? old.st_size : 0));
    return !durable(key) || sync_path(shard, err);
}

static bool local_room(struct store *store, int64_t bytes, struct error *err)
{
    struct local *self = local_of(store);
    struct statvfs fs;
    int64_t reserve_bytes = self->reserve_bytes < 0 ? 0 : self->reserve_bytes;
    if (statvfs(self->root, &fs) != 0)
        return error_os(err, errno, "look at %s", self->root);
    int64_t free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    /* Without a guard a little is enough to try. */
    if (self->reserve_bytes < 0 && bytes > UNGUARDED_BYTES)
        bytes = UNGUARDED_BYTES;
    if (free_bytes - bytes >= reserve_bytes)
        return true;
    error_set(err, ERROR_LIMIT, "the disk is full: %lld MB are free, %lld MB are kept in reserve",
              (long long)(free_bytes / 1000000), (long long)(reserve_bytes / 1000000));
    return error_about(err, NULL, "disk_full");
}

static char *local_scratch(struct store *store, const char *suffix, struct error *err)
{
    struct local *self = local_of(store);
    unsigned long number = atomic_fetch_add(&self->next_scratch, 1);
    return xasprintf("%s/%lu%s", self->scratch, number, suffix);
}

/* A full disk met by a write is told like one met by the guard. */
static bool write_failed(struct error *err)
{
    if (err && (err->os == ENOSPC || err->os == EDQUOT))
        error_about(err, NULL, "disk_full");
    return false;
}

static bool write_new(const char *path, struct bytes content, struct error *err)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_os(err, errno, "create %s", path);
    return fd_write_all(fd, content, err);
}

static bool local_put(struct store *store, const struct store_key *key, struct bytes content,
                      struct error *err)
{
    struct local *self = local_of(store);
    if (!local_room(store, (int64_t)content.size, err))
        return false;
    AUTO(mem_free) char *draft = local_scratch(store, "", err);
    if (write_new(draft, content, err) && publish(self, key, draft, err))
        return true;
    unlink(draft);
    return write_failed(err);
}

/* From another file system: copied beside the final place first. */
static bool copy_in(struct local *self, const struct store_key *key, const char *path,
                    struct error *err)
{
    AUTO(mem_free) char *draft = local_scratch(&self->base, "", err);
    AUTO(fd_close) int in = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(fd_close) int out = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = in >= 0 && out >= 0;
    if (!fine)
        error_os(err, errno, "copy %s", path);
    while (fine) {
        uint8_t chunk[65536];
        ssize_t got = read(in, chunk, sizeof chunk);
        if (got == 0)
            break;
        fine = got > 0 ? fd_write_all(out, (struct bytes){chunk, (size_t)got}, err)
                       : errno == EINTR || error_os(err, errno, "read %s", path);
    }
    if (fine && publish(self, key, draft, err)) {
        unlink(path);
        return true;
    }
    unlink(draft);
    return false;
}

static bool local_adopt(struct store *store, const struct store_key *key, const char *path,
                        struct error *err)
{
    struct local *self = local_of(store);
    struct stat file, root;
    if (!local_room(store, 0, err))
        return false;
    bool same =
        stat(path, &file) == 0 && stat(self->root, &root) == 0 && file.st_dev == root.st_dev;
    bool fine = same ? publish(self, key, path, err) : copy_in(self, key, path, err);
    return fine || write_failed(err);
}

static bool local_open(struct store *store, const struct store_key *key, struct store_object *out,
                       struct error *err)
{
    struct local *self = local_of(store);
    char path[PATH_MAX];
    struct stat file;
    final_path(self, key, path);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? store_missing(key, err) : error_os(err, errno, "open %s", path);
    if (fstat(fd, &file) != 0)
        return error_os(err, errno, "look at %s", path);
    int64_t modified_ms = file_ms(file.st_mtim);
    if (key->class == STORE_INTERMEDIATE && wall_ms() - modified_ms > 60 * 60 * 1000)
        futimens(fd, NULL); /* it is in use: cheap, and once an hour is enough */
    *out = (struct store_object){
        .fd = fd_take(&fd), .size_bytes = file.st_size, .modified_ms = modified_ms};
    return true;
}

static char *local_path(struct store *store, const struct store_key *key, struct error *err)
{
    char path[PATH_MAX];
    final_path(local_of(store), key, path);
    if (access(path, R_OK) == 0)
        return xstrdup(path);
    if (errno == ENOENT)
        store_missing(key, err);
    else
        error_os(err, errno, "open %s", path);
    return NULL;
}

static bool local_renew(struct store *store, const struct store_key *key)
{
    char path[PATH_MAX];
    final_path(local_of(store), key, path);
    return utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool local_remove(struct store *store, const struct store_key *key, struct error *err)
{
    struct local *self = local_of(store);
    char path[PATH_MAX];
    struct stat file;
    final_path(self, key, path);
    if (stat(path, &file) != 0 || unlink(path) != 0)
        return errno == ENOENT || error_os(err, errno, "remove %s", path);
    account(self, key->class, -1, -file.st_size);
    return true;
}

static bool local_usage(struct store *store, struct store_usage *out, struct error *err)
{
    struct local *self = local_of(store);
    struct statvfs fs;
    if (statvfs(self->root, &fs) != 0)
        return error_os(err, errno, "look at %s", self->root);
    *out = (struct store_usage){
        .free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize,
        .reserve_bytes = self->reserve_bytes < 0 ? 0 : self->reserve_bytes,
    };
    for (int i = 0; i < STORE_CLASSES; i++) {
        out->classes[i].bytes = atomic_load(&self->classes[i].bytes);
        out->classes[i].files = atomic_load(&self->classes[i].files);
    }
    return true;
}

static void local_free(struct store *store)
{
    struct local *self = local_of(store);
    struct error err;
    if (self->scratch && !tree_remove(self->scratch, &err))
        log_warn("store.scratch_left", LOG_ERROR(&err));
    if (self->scratch_fd >= 0)
        close(self->scratch_fd);
    free(self->scratch);
    free(self->root);
    free(self);
}

/* Folders of processes that are gone: nobody holds their lock. */
static void scratch_clean(const char *tmp)
{
    DIR *dir = opendir(tmp);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        AUTO(mem_free) char *path = xasprintf("%s/%s", tmp, entry->d_name);
        AUTO(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct error err;
        if ((fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) && !tree_remove(path, &err))
            log_warn("store.scratch_left", LOG_ERROR(&err));
    }
    closedir(dir);
}

static bool scratch_make(struct local *self, struct error *err)
{
    AUTO(mem_free) char *tmp = xasprintf("%s/tmp", self->root);
    if (!dir_make(tmp, err))
        return false;
    /* Held while cleaning and making, so that nobody's new folder is taken for a dead one's. */
    AUTO(fd_close) int guard = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (guard < 0 || flock(guard, LOCK_EX) != 0)
        return error_os(err, errno, "lock %s", tmp);
    scratch_clean(tmp);
    self->scratch = xasprintf("%s/XXXXXX", tmp);
    if (!mkdtemp(self->scratch))
        return error_os(err, errno, "make %s", self->scratch);
    self->scratch_fd = open(self->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->scratch_fd < 0 || flock(self->scratch_fd, LOCK_EX | LOCK_NB) != 0)
        return error_os(err, errno, "lock %s", self->scratch);
    return true;
}

struct store *store_local_open(const struct store_options *options, struct error *err)
{
    static const struct store_ops ops = {
        local_put,     local_adopt, local_open,        local_path,  local_renew, local_remove,
        local_scratch, local_room,  local_store_sweep, local_usage, local_free,
    };
    static const int64_t keep_days[STORE_CLASSES] = {7, 3, 30};

    struct local *self = xcalloc(1, sizeof *self);
    AUTO(store_free) struct store *store = &self->base;
    self->base.ops = &ops;
    self->scratch_fd = -1;
    self->root = xstrdup(options->root);
    self->reserve_bytes = options->reserve_bytes ? options->reserve_bytes : default_reserve;
    for (int i = 0; i < STORE_CLASSES; i++) {
        self->keep_ms[i] = options->keep_ms[i] ? options->keep_ms[i] : keep_days[i] * day_ms;
        AUTO(mem_free) char *path = xasprintf("%s/%s", self->root, store_class_name(i));
        if (strlen(path) > PATH_MAX - 2 * STORE_NAME_SIZE) {
            error_set(err, ERROR_LIMIT, "the path of the storage is too long");
            return NULL;
        }
        if (!dir_make(path, err))
            return NULL;
    }
    if (!scratch_make(self, err)) {
        error_wrap(err, "open storage %s", self->root);
        return NULL;
    }
    local_count(self);
    return TAKE(store);
}
