/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/content.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "sync/sum.h"
#include "sync/tree.h"
#include "sys/fs.h"

enum { ATTEMPTS = 3, RACY_NS = 20 * 1000 * 1000 };

void content_dispose(struct content *content)
{
    buf_dispose(&content->bytes);
    chunk_result_dispose(&content->chunks);
    if (content->fd >= 0)
        close(content->fd);
    content->fd = -1;
}

void content_store(const struct content *content, struct node *node)
{
    node->local = content->entry;
    node->mtime_ns = content->mtime_ns;
    node->ctime_ns = content->ctime_ns;
    node->inode = content->inode;
    node->flags &= ~(NODE_UNHASHED | NODE_RACY | NODE_TOUCHED | NODE_UNREADABLE);
    if (content->racy)
        node->flags |= NODE_RACY;
}

static void take_times(struct content *content, const struct stat *stat)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    content->mtime_ns = fs_mtime_ns(stat);
    content->ctime_ns = fs_ctime_ns(stat);
    content->inode = stat->st_ino;
    content->racy = now_ns - content->mtime_ns < RACY_NS || now_ns - content->ctime_ns < RACY_NS;
}

static bool same_times(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && fs_mtime_ns(a) == fs_mtime_ns(b) &&
           fs_ctime_ns(a) == fs_ctime_ns(b);
}

static bool read_link(int dir, const char *name, struct content *out, struct error *err)
{
    struct stat stat;
    buf_clear(&out->bytes);
    uint8_t *room = buf_reserve(&out->bytes, PATH_MAX, err);
    if (!room)
        return false;
    ssize_t size = readlinkat(dir, name, (char *)room, PATH_MAX);
    if (size < 0 || fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return error_os(err, errno, "read link");
    buf_commit(&out->bytes, (size_t)size);
    take_times(out, &stat);
    out->entry = (struct entry){
        .kind = ENTRY_LINK, .size = (uint64_t)size, .hash = hash128_of(buf_bytes(&out->bytes))};
    return true;
}

static bool read_small(int fd, uint64_t size, struct content *out, struct error *err)
{
    buf_clear(&out->bytes);
    uint8_t *room = buf_reserve(&out->bytes, (size_t)size + 1, err);
    if (!room)
        return false;
    size_t filled = 0;
    while (filled <= size) { /* one byte more than there should be: a short read is the end */
        size_t want = (size_t)size + 1 - filled;
        ssize_t got = pread(fd, room + filled, want, (off_t)filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read");
        filled += (size_t)got;
        if (got == 0 || ((size_t)got < want && filled == size))
            break;
    }
    if (filled != size)
        return error_set(err, ERROR_CONFLICT, "the file changed while it was read");
    buf_commit(&out->bytes, filled);
    out->entry.hash = hash128_of(buf_bytes(&out->bytes));
    return true;
}

static bool read_file(int fd, const struct stat *stat, int want, const struct chunk_list *old,
                      struct content *out, struct error *err)
{
    uint64_t size = (uint64_t)stat->st_size;
    out->entry = (struct entry){
        .kind = ENTRY_FILE, .mode = (uint16_t)(stat->st_mode & ENTRY_MODE_MASK), .size = size};
    if (size < CHUNK_FILE_MIN)
        return read_small(fd, size, out, err);
    chunk_result_dispose(&out->chunks);
    if (want & CONTENT_WHOLE) {
        out->chunks = (struct chunk_result){.segments = xmalloc(sizeof *out->chunks.segments),
                                            .segment_count = 1,
                                            .literal_bytes = size};
        out->chunks.segments[0] = (struct chunk_segment){CHUNK_LITERAL, size};
    }
    if (want & CONTENT_WHOLE || !(want & CONTENT_CHUNKS))
        return sum_file(fd, size, &out->entry.hash, NULL, err);
    if (!chunk_scan(fd, size, old, NULL, &out->chunks, err))
        return false;
    out->entry.hash = out->chunks.list->content;
    return true;
}

static bool read_open(int fd, const struct stat *found, int want, const struct chunk_list *old,
                      struct content *out, struct error *err)
{
    struct stat before = *found, after;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++, before = after) {
        bool done = read_file(fd, &before, want, old, out, err);
        if (!done && err->kind != ERROR_CONFLICT)
            return false;
        if (fstat(fd, &after) != 0)
            return error_os(err, errno, "stat");
        if (done && same_times(&before, &after)) {
            take_times(out, &after);
            return true;
        }
    }
    return error_set(err, ERROR_CONFLICT, "the file keeps changing while it is read");
}

bool content_read(int dir, const char *name, int want, const struct chunk_list *old,
                  struct content *out, struct error *err)
{
    struct stat stat;
    *out = (struct content){.fd = -1, .bytes = BUF(CHUNK_FILE_MIN + PATH_MAX)};
    AUTO(fd_close) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0) {
        int failed = errno;
        if (fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
            return errno == ENOENT || error_os(err, errno, "stat");
        if (S_ISLNK(stat.st_mode))
            return read_link(dir, name, out, err);
        out->special = !S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode);
        return out->special || error_os(err, failed, "open");
    }
    if (fstat(fd, &stat) != 0)
        return error_os(err, errno, "stat");
    if (S_ISDIR(stat.st_mode)) {
        out->entry =
            (struct entry){.kind = ENTRY_DIR, .mode = (uint16_t)(stat.st_mode & ENTRY_MODE_MASK)};
        take_times(out, &stat);
        return true;
    }
    if (!S_ISREG(stat.st_mode)) {
        out->special = true;
        return true;
    }
    if (!read_open(fd, &stat, want, old, out, err)) {
        content_dispose(out);
        return false;
    }
    if (out->chunks.segment_count)
        out->fd = fd_take(&fd);
    return true;
}
