/* SPDX-License-Identifier: Apache-2.0 */
/* Retention: what is older than its class allows goes; and while the reserve is not free, the
 * intermediates that were not used for longest go as well. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/local_internal.h"

struct entry {
    char *path;
    int64_t modified_ms, bytes;
};

/* The files of one class that are left after the first pass. */
struct inventory {
    struct entry *items;
    size_t count, capacity;
    int64_t bytes;
    int64_t removed;
    int64_t keep_after_ms; /* what was written before this goes */
};

static void inventory_dispose_auto(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++)
        free(inventory->items[i].path);
    free(inventory->items);
}

static void inventory_add(struct inventory *inventory, char **path, const struct stat *file)
{
    if (inventory->count == inventory->capacity) {
        inventory->capacity = inventory->capacity ? inventory->capacity * 2 : 64;
        inventory->items =
            xreallocarray(inventory->items, inventory->capacity, sizeof *inventory->items);
    }
    inventory->items[inventory->count++] = (struct entry){
        .path = TAKE(*path), .modified_ms = file_ms(file->st_mtim), .bytes = file->st_size};
    inventory->bytes += file->st_size;
}

static bool walk_shard(const char *shard, struct inventory *inventory, struct error *err)
{
    DIR *dir = opendir(shard);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR || error_os(err, errno, "open %s", shard);
    bool fine = true;
    for (struct dirent *entry; fine && (entry = readdir(dir));) {
        struct stat file;
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(dir), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(file.st_mode))
            continue;
        if (file_ms(file.st_mtim) >= inventory->keep_after_ms) {
            char *path = xasprintf("%s/%s", shard, entry->d_name);
            inventory_add(inventory, &path, &file);
        } else if (unlinkat(dirfd(dir), entry->d_name, 0) == 0) {
            inventory->removed++;
        } else if (errno != ENOENT) {
            fine = error_os(err, errno, "remove %s/%s", shard, entry->d_name);
        }
    }
    closedir(dir);
    return fine;
}

static bool walk_class(const struct local *self, enum store_class class,
                       struct inventory *inventory, struct error *err)
{
    for (unsigned shard = 0; shard < 256; shard++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s/%02x", self->root, store_class_name(class), shard);
        if (!walk_shard(path, inventory, err))
            return false;
    }
    return true;
}

static int oldest_first(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return (left->modified_ms > right->modified_ms) - (left->modified_ms < right->modified_ms);
}

static bool evict(const struct local *self, struct inventory *inventory, struct error *err)
{
    struct statvfs fs;
    if (self->reserve_bytes < 0)
        return true;
    if (statvfs(self->root, &fs) != 0)
        return error_os(err, errno, "look at %s", self->root);
    int64_t missing =
        self->reserve_bytes + STORE_ROOM_BYTES - (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    if (missing <= 0 || inventory->count == 0)
        return true;
    qsort(inventory->items, inventory->count, sizeof *inventory->items, oldest_first);
    for (size_t i = 0; i < inventory->count && missing > 0; i++) {
        if (unlink(inventory->items[i].path) != 0)
            continue;
        missing -= inventory->items[i].bytes;
        inventory->bytes -= inventory->items[i].bytes;
        inventory->items[i].bytes = -1;
        inventory->removed++;
    }
    return true;
}

static int64_t left(const struct inventory *inventory)
{
    int64_t count = 0;
    for (size_t i = 0; i < inventory->count; i++)
        count += inventory->items[i].bytes >= 0;
    return count;
}

bool local_store_sweep(struct store *store, int64_t now_ms, int64_t *out_removed, struct error *err)
{
    struct local *self = (struct local *)store;
    *out_removed = 0;
    for (int class = 0; class < STORE_CLASSES; class ++) {
        AUTO(inventory_dispose)
        struct inventory inventory = {.keep_after_ms = INT64_MIN};
        if (self->keep_ms[class] >= 0)
            inventory.keep_after_ms = now_ms - self->keep_ms[class];
        if (!walk_class(self, class, &inventory, err) ||
            (class == STORE_INTERMEDIATE && !evict(self, &inventory, err)))
            return false;
        atomic_store(&self->classes[class].bytes, inventory.bytes);
        atomic_store(&self->classes[class].files, left(&inventory));
        *out_removed += inventory.removed;
    }
    return true;
}

void local_count(struct local *self)
{
    for (int class = 0; class < STORE_CLASSES; class ++) {
        AUTO(inventory_dispose)
        struct inventory inventory = {.keep_after_ms = INT64_MIN};
        if (!walk_class(self, class, &inventory, NULL))
            continue;
        atomic_store(&self->classes[class].bytes, inventory.bytes);
        atomic_store(&self->classes[class].files, (int64_t)inventory.count);
    }
}
