/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "sync/copying.h"
#include "sync/leftover.h"
#include "sync/sum.h"
#include "sys/fs.h"
#include "sys/peer.h"

static const char folder[] = ".vma-stage";

enum { ATTEMPTS = 20 /* to make a file that others may remove at once */ };

struct transfer {
    uint64_t id;
    staged staged;
    int fd, from; /* -1: none */
    uint64_t size, written;
    struct summer *summer; /* of what was written, as long as none was copied … */
    struct sums sums;      /* … and after that of the blocks that were copied; or NULL */
    size_t sums_capacity;
    bool failed;
    struct error why;
    struct transfer *next;
};

struct stage {
    int root;
    int dir; /* -1 until it is needed */
    uint64_t next;
    uint64_t fault; /* 0: none */
    bool crashed, write_soon;
    struct transfer *transfers;
    unsigned transfer_count;
};

static void sums_dispose_auto(struct sums *sums)
{
    free(sums->blocks);
    free(sums->known);
}

/* Makes room for the blocks of `size` bytes. */
static void sums_cover(struct sums *sums, size_t *capacity, uint64_t size)
{
    size_t count = sum_block_count(size) + 1;
    if (count <= *capacity)
        return;
    sums->blocks = xreallocarray(sums->blocks, count, sizeof *sums->blocks);
    sums->known = xreallocarray(sums->known, count, sizeof *sums->known);
    memset(sums->known + *capacity, 0, (count - *capacity) * sizeof *sums->known);
    *capacity = count;
}

/* Every change of the file system passes here first. */
static bool alive(struct stage *stage)
{
    if (stage->fault && --stage->fault == 0)
        stage->crashed = true;
    if (stage->crashed)
        errno = EIO;
    return !stage->crashed;
}

void stage_fault(struct stage *stage, uint64_t countdown)
{
    stage->fault = countdown;
}

bool stage_crashed(const struct stage *stage)
{
    return stage->crashed;
}

const char *staged_name(staged id, char out[STAGED_NAME_SIZE])
{
    snprintf(out, STAGED_NAME_SIZE, "%" PRIx64, id);
    return out;
}

/* What a run that was killed left behind. The stage holds plain files and links only. */
static void clear_out(int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    if (!stream) {
        if (copy >= 0)
            close(copy);
        return;
    }
    for (struct dirent *entry; (entry = readdir(stream));)
        if (entry->d_name[0] != '.')
            unlinkat(dir, entry->d_name, 0);
    closedir(stream);
}

void stage_rest(struct stage *stage)
{
    if (stage->dir < 0 || stage->transfers || stage->crashed ||
        unlinkat(stage->root, folder, AT_REMOVEDIR) != 0)
        return;
    close(stage->dir);
    stage->dir = -1;
}

/* An agent whose client was killed may still be at work on the same folder when the next one
 * begins: they must never take each other's files for their own. */
static uint64_t first_name(void)
{
    uint64_t name;
    random_bytes(&name, sizeof name);
    return name % (UINT64_MAX / 2) + 1;
}

struct stage *stage_new(int root)
{
    struct stage *stage = xcalloc(1, sizeof *stage);
    stage->root = root;
    stage->next = first_name();
    stage->dir = fs_open_beneath(root, folder, O_RDONLY | O_DIRECTORY, 0);
    if (stage->dir >= 0)
        clear_out(stage->dir);
    stage_rest(stage);
    return stage;
}

static void transfer_free(struct stage *stage, struct transfer *transfer)
{
    struct transfer **link = &stage->transfers;
    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    stage->transfer_count--;
    if (transfer->fd >= 0)
        close(transfer->fd);
    if (transfer->from >= 0)
        close(transfer->from);
    stage_drop(stage, &transfer->staged);
    summer_free(transfer->summer);
    sums_dispose_auto(&transfer->sums);
    free(transfer);
}

void stage_drop_transfers(struct stage *stage)
{
    while (stage->transfers)
        transfer_free(stage, stage->transfers);
    stage_rest(stage);
}

void stage_free(struct stage *stage)
{
    if (!stage)
        return;
    stage_drop_transfers(stage);
    if (stage->dir >= 0) {
        close(stage->dir);
        if (!stage->crashed)
            unlinkat(stage->root, folder, AT_REMOVEDIR);
    }
    free(stage);
}

static bool open_dir(struct stage *stage, struct error *err)
{
    if (stage->dir >= 0)
        return true;
    if (mkdirat(stage->root, folder, 0700) != 0 && errno != EEXIST)
        return error_os(err, errno, "make %s", folder);
    stage->dir = fs_open_beneath(stage->root, folder, O_RDONLY | O_DIRECTORY, 0);
    return stage->dir >= 0 || error_os(err, errno, "open %s", folder);
}

/* Somebody removed the folder while we had it open: true when there is one again. */
static bool open_dir_again(struct stage *stage, struct error *err)
{
    int failed = errno;
    if (failed == ENOENT && !stage->crashed) {
        close(stage->dir);
        stage->dir = -1;
        if (open_dir(stage, err))
            return true;
        failed = err->os ? err->os : failed;
    }
    errno = failed;
    return false;
}

int stage_dir(const struct stage *stage)
{
    return stage->dir;
}

void stage_drop(struct stage *stage, staged *id)
{
    char name[STAGED_NAME_SIZE];
    if (*id && !stage->crashed)
        unlinkat(stage->dir, staged_name(*id, name), 0);
    *id = 0;
}

/* --- New files ----------------------------------------------------------------------------- */

static int create(struct stage *stage, staged *out, struct error *err)
{
    char name[STAGED_NAME_SIZE];
    if (!open_dir(stage, err))
        return -1;
    *out = stage->next++;
    staged_name(*out, name);
    int fd =
        alive(stage) ? openat(stage->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd < 0 && open_dir_again(stage, err))
        fd = openat(stage->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        *out = 0;
        error_os(err, errno, "make a file in %s", folder);
    }
    return fd;
}

static bool write_some(struct stage *stage, int fd, uint64_t at, struct bytes bytes,
                       struct error *err)
{
    if (!alive(stage))
        return error_os(err, errno, "write");
    return write_at(fd, at, bytes, err);
}

static bool copy_some(struct stage *stage, const struct copying *copying, struct error *err)
{
    if (!alive(stage))
        return error_os(err, errno, "write");
    return copy_between(copying, err);
}

static bool check(const struct entry *entry, uint64_t size, struct hash128 hash, struct error *err)
{
    return (entry->size == size && hash128_equal(entry->hash, hash)) ||
           error_set(err, ERROR_CONFLICT, "the content is not what was announced");
}

void stage_write_soon(struct stage *stage)
{
    stage->write_soon = true;
}

/* The content is there. */
static bool complete(struct stage *stage, int fd, const struct entry *entry, struct error *err)
{
    if (stage->write_soon)
        fs_write_soon(fd);
    return fchmod(fd, entry->mode) == 0 || error_os(err, errno, "set permissions");
}

bool stage_bytes(struct stage *stage, const struct entry *entry, struct bytes content, staged *out,
                 struct error *err)
{
    if (!check(entry, content.size, sum_of(content), err))
        return false;
    AUTO(fd_close) int fd = create(stage, out, err);
    if (fd < 0)
        return false;
    if (write_some(stage, fd, 0, content, err) && complete(stage, fd, entry, err))
        return true;
    stage_drop(stage, out);
    return false;
}

bool stage_link(struct stage *stage, const struct entry *entry, struct bytes target, staged *out,
                struct error *err)
{
    char name[STAGED_NAME_SIZE];
    if (target.size == 0 || memchr(target.data, '\0', target.size))
        return error_set(err, ERROR_CONFLICT, "a link's target makes no sense");
    if (!check(entry, target.size, hash128_of(target), err) || !open_dir(stage, err))
        return false;
    AUTO(mem_free) char *text = xstrndup((const char *)target.data, target.size);
    *out = stage->next++;
    staged_name(*out, name);
    if (alive(stage) && (symlinkat(text, stage->dir, name) == 0 ||
                         (open_dir_again(stage, err) && symlinkat(text, stage->dir, name) == 0)))
        return true;
    *out = 0;
    return error_os(err, errno, "make a link in %s", folder);
}

bool stage_copy(struct stage *stage, const struct entry *entry, int from, staged *out,
                struct error *err)
{
    struct hash128 sum;
    struct stat stat;
    AUTO(sums_dispose) struct sums sums = {0};
    AUTO(fd_close) int fd = create(stage, out, err);
    if (fd < 0)
        return false;
    struct copying copying = {.from = from, .to = fd, .size = entry->size, .sums = &sums};
    if (fstat(from, &stat) != 0) {
        error_os(err, errno, "stat");
    } else if ((uint64_t)stat.st_size != entry->size || entry->size > SUM_FILE_MAX) {
        error_set(err, ERROR_CONFLICT, "the copied file has another size");
    } else {
        size_t capacity = 0;
        sums_cover(&sums, &capacity, entry->size);
        if (copy_some(stage, &copying, err) && sum_missing(fd, entry->size, &sums, &sum, err) &&
            check(entry, entry->size, sum, err) && complete(stage, fd, entry, err))
            return true;
    }
    stage_drop(stage, out);
    return false;
}

bool stage_hard_link(struct stage *stage, const struct entry *entry, int dir, const char *name,
                     staged *out, struct error *err)
{
    char target[STAGED_NAME_SIZE];
    if (!open_dir(stage, err))
        return false;
    *out = stage->next++;
    staged_name(*out, target);
    if (!alive(stage) ||
        (linkat(dir, name, stage->dir, target, 0) != 0 &&
         (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 || !open_dir_again(stage, err) ||
          linkat(dir, name, stage->dir, target, 0) != 0))) {
        *out = 0;
        return error_os(err, errno, "link");
    }
    if (fs_chmod(stage->dir, target, entry->mode) == 0)
        return true;
    error_os(err, errno, "set permissions");
    stage_drop(stage, out);
    return false;
}

/* --- Transfers ----------------------------------------------------------------------------- */

static struct transfer *find(struct stage *stage, uint64_t id)
{
    struct transfer *transfer = stage->transfers;
    while (transfer && transfer->id != id)
        transfer = transfer->next;
    return transfer;
}

bool stage_begin(struct stage *stage, uint64_t id, uint64_t size, int from, struct error *err)
{
    AUTO(fd_close) int old = from;
    stage_abandon(stage, id);
    if (stage->transfer_count >= STAGE_TRANSFERS)
        return error_set(err, ERROR_LIMIT, "more than %d large files on the way", STAGE_TRANSFERS);
    staged name;
    int fd = create(stage, &name, err);
    if (fd < 0)
        return false;
    struct transfer *transfer = xcalloc(1, sizeof *transfer);
    *transfer = (struct transfer){.id = id,
                                  .staged = name,
                                  .fd = fd,
                                  .from = fd_take(&old),
                                  .size = size,
                                  .summer = summer_new(),
                                  .next = stage->transfers};
    stage->transfers = transfer;
    stage->transfer_count++;
    return true;
}

static bool grows(struct transfer *transfer, uint64_t size, struct error *err)
{
    if (size > transfer->size - transfer->written)
        return error_set(err, ERROR_CONFLICT, "more content than was announced");
    transfer->written += size;
    return true;
}

bool stage_write(struct stage *stage, uint64_t id, struct bytes bytes, struct error *err)
{
    struct transfer *transfer = find(stage, id);
    if (!transfer || transfer->failed)
        return true;
    uint64_t at = transfer->written;
    if (!grows(transfer, bytes.size, err))
        return false;
    if (!transfer->sums.blocks)
        summer_add(transfer->summer, bytes);
    return write_some(stage, transfer->fd, at, bytes, err);
}

bool stage_write_old(struct stage *stage, uint64_t id, uint64_t offset, uint64_t size,
                     struct error *err)
{
    struct transfer *transfer = find(stage, id);
    if (!transfer || transfer->failed)
        return true;
    if (transfer->from < 0)
        return error_set(err, ERROR_CONFLICT, "no old content to copy from");
    struct copying copying = {.from = transfer->from,
                              .to = transfer->fd,
                              .from_at = offset,
                              .to_at = transfer->written,
                              .size = size,
                              .sums = &transfer->sums};
    struct stat stat;
    if (fstat(transfer->from, &stat) != 0)
        return error_os(err, errno, "stat");
    if (offset > (uint64_t)stat.st_size || size > (uint64_t)stat.st_size - offset)
        return error_set(err, ERROR_CONFLICT, "the old content is shorter than expected");
    if (!grows(transfer, size, err))
        return false;
    if (transfer->written > SUM_FILE_MAX)
        return error_set(err, ERROR_LIMIT, "a file of more than 4 TiB is not synced");
    sums_cover(&transfer->sums, &transfer->sums_capacity, transfer->written);
    return copy_some(stage, &copying, err);
}

bool stage_end(struct stage *stage, uint64_t id, const struct entry *entry, staged *out,
               struct error *err)
{
    struct transfer *transfer = find(stage, id);
    if (!transfer)
        return error_set(err, ERROR_CONFLICT, "its pieces did not arrive");
    if (transfer->failed) {
        *err = transfer->why;
        transfer_free(stage, transfer);
        return false;
    }
    struct hash128 sum = {0};
    bool done = true;
    if (transfer->sums.blocks) {
        sums_cover(&transfer->sums, &transfer->sums_capacity, transfer->written);
        done = sum_missing(transfer->fd, transfer->written, &transfer->sums, &sum, err);
    } else {
        sum = summer_end(transfer->summer);
    }
    done = done && check(entry, transfer->written, sum, err) &&
           complete(stage, transfer->fd, entry, err);
    *out = done ? transfer->staged : 0;
    if (done)
        transfer->staged = 0;
    transfer_free(stage, transfer);
    return done;
}

void stage_fail(struct stage *stage, uint64_t id, const struct error *why)
{
    stage_abandon(stage, id);
    if (stage->transfer_count >= STAGE_TRANSFERS)
        return;
    struct transfer *transfer = xcalloc(1, sizeof *transfer);
    *transfer = (struct transfer){
        .id = id, .fd = -1, .from = -1, .failed = true, .why = *why, .next = stage->transfers};
    stage->transfers = transfer;
    stage->transfer_count++;
}

void stage_abandon(struct stage *stage, uint64_t id)
{
    struct transfer *transfer = find(stage, id);
    if (transfer)
        transfer_free(stage, transfer);
}

/* --- Last steps ---------------------------------------------------------------------------- */

/* A new file that nobody takes for a leftover as long as it is open. */
static int create_beside(int dir, const char *name)
{
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        AUTO(fd_close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0 && leftover_claim(fd))
            return fd_take(&fd);
        if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
            return -1;
    }
    errno = EEXIST;
    return -1;
}

/* Where the folder is on another file system: a copy beside the final place, by a name that is
 * never synced. *out_claim, which is open or -1, keeps others from taking it for a leftover until
 * it has its own name. */
static int bring_over(struct stage *stage, staged id, int dir, char out[LEFTOVER_NAME_SIZE],
                      int *out_claim)
{
    char name[STAGED_NAME_SIZE];
    struct stat stat;
    staged_name(id, name);
    leftover_name(name, out);
    if (fstatat(stage->dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISLNK(stat.st_mode)) {
        char target[4096];
        ssize_t size = readlinkat(stage->dir, name, target, sizeof target - 1);
        if (size < 0)
            return -1;
        target[size] = '\0';
        return symlinkat(target, dir, out);
    }
    AUTO(fd_close) int from = openat(stage->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(fd_close) int to = from < 0 ? -1 : create_beside(dir, out);
    struct error err;
    if (from < 0 || to < 0)
        return -1;
    struct copying copying = {.from = from, .to = to, .size = (uint64_t)stat.st_size};
    int failed = 0;
    if (!copy_some(stage, &copying, &err))
        failed = err.os ? err.os : EIO;
    else if (fchmod(to, stat.st_mode & 07777) != 0)
        failed = errno;
    if (!failed) {
        *out_claim = fd_take(&to);
        return 0;
    }
    unlinkat(dir, out, 0);
    errno = failed;
    return -1;
}

static int place(struct stage *stage, staged *id, int dir, const char *target, bool new)
{
    char name[STAGED_NAME_SIZE], beside[LEFTOVER_NAME_SIZE];
    staged_name(*id, name);
    if (!alive(stage))
        return -1;
    int done = new ? fs_rename_new(stage->dir, name, dir, target)
                   : renameat(stage->dir, name, dir, target);
    if (done == 0)
        *id = 0;
    if (done == 0 || errno != EXDEV)
        return done;
    AUTO(fd_close) int claim = -1;
    if (bring_over(stage, *id, dir, beside, &claim) != 0)
        return -1;
    done = new ? fs_rename_new(dir, beside, dir, target) : renameat(dir, beside, dir, target);
    int failed = errno;
    if (done == 0)
        stage_drop(stage, id);
    else
        unlinkat(dir, beside, 0);
    errno = failed;
    return done;
}

int stage_place_new(struct stage *stage, staged *id, int dir, const char *name)
{
    return place(stage, id, dir, name, true);
}

int stage_place_over(struct stage *stage, staged *id, int dir, const char *name)
{
    return place(stage, id, dir, name, false);
}

int stage_exchange(struct stage *stage, staged *id, int dir, const char *target)
{
    char name[STAGED_NAME_SIZE];
    return alive(stage) ? fs_rename_exchange(stage->dir, staged_name(*id, name), dir, target) : -1;
}

int stage_remove(struct stage *stage, int dir, const char *name, bool is_dir)
{
    return alive(stage) ? unlinkat(dir, name, is_dir ? AT_REMOVEDIR : 0) : -1;
}

int stage_mkdir(struct stage *stage, int dir, const char *name, mode_t mode)
{
    if (!alive(stage) || mkdirat(dir, name, 0700) != 0)
        return -1;
    return mode == 0700 ? 0 : fs_chmod(dir, name, mode);
}

int stage_chmod(struct stage *stage, int dir, const char *name, mode_t mode)
{
    return alive(stage) ? fs_chmod(dir, name, mode) : -1;
}
