/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

/* Adds what follows the part of a path that exists, component by component. */
static char *add_rest(char *existing, const char *rest)
{
    AUTO(mem_free) char *path = existing;
    while (*rest) {
        size_t size = strcspn(rest, "/");
        char *slash = strrchr(path, '/');
        bool up = size == 2 && rest[0] == '.' && rest[1] == '.';
        if (up)
            slash[slash == path] = '\0';
        if (!up && size && !(size == 1 && rest[0] == '.')) {
            AUTO(mem_free) char *shorter = path;
            path = xasprintf("%s/%.*s", shorter[1] ? shorter : "", (int)size, rest);
        }
        rest += size + (rest[size] == '/');
    }
    return TAKE(path);
}

char *path_resolve(const char *path)
{
    AUTO(mem_free) char *prefix = xstrdup(path);
    for (size_t size = strlen(prefix); size; size--) {
        if (size < strlen(path) && path[size] != '/')
            continue;
        prefix[size] = '\0';
        char *real = realpath(prefix, NULL);
        if (real)
            return add_rest(real, path + size);
    }
    return add_rest(xstrdup("/"), path);
}

bool path_is_within(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    while (size > 0 && folder[size - 1] == '/')
        size--;
    return *folder && strncmp(path, folder, size) == 0 && path[size] == '/' &&
           path[size + strspn(path + size, "/")];
}

bool file_read(const char *path, struct buf *out, struct error *err)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, errno, "open %s", path);

    struct stat stat;
    size_t step = 64 * 1024;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > 0)
        step = (size_t)stat.st_size;
    for (;;) {
        size_t room = out->limit - out->size;
        if (room == 0) {
            uint8_t more;
            if (read(fd, &more, 1) == 0)
                return true;
            return error_set(err, ERROR_LIMIT, "%s is larger than %zu bytes", path, out->limit);
        }
        size_t want = step < room ? step : room;
        uint8_t *at = buf_reserve(out, want, err);
        if (!at)
            return error_wrap(err, "read %s", path);
        ssize_t got = read(fd, at, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_os(err, errno, "read %s", path);
        if (got == 0)
            return true;
        buf_commit(out, (size_t)got);
        step = 64 * 1024;
    }
}

bool fd_write_all(int fd, struct bytes data, struct error *err)
{
    while (data.size) {
        ssize_t done = write(fd, data.data, data.size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_os(err, errno, "write %zu bytes", data.size);
        data = (struct bytes){data.data + done, data.size - (size_t)done};
    }
    return true;
}

/* A file beside its final place that disappears unless it is published. */
struct draft {
    int fd; /* -1 when there is nothing to drop */
    char path[PATH_MAX];
};

static void draft_drop_auto(const struct draft *draft)
{
    if (draft->fd < 0)
        return;
    close(draft->fd);
    unlink(draft->path);
}

static bool draft_open(struct draft *draft, const char *path, struct error *err)
{
    int length = snprintf(draft->path, sizeof draft->path, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof draft->path)
        return error_set(err, ERROR_LIMIT, "path too long");
    draft->fd = mkostemp(draft->path, O_CLOEXEC);
    return draft->fd >= 0 || error_os(err, errno, "create %s", draft->path);
}

static bool draft_publish(struct draft *draft, const char *path, struct error *err)
{
    if (fsync(draft->fd) != 0)
        return error_os(err, errno, "flush %s", draft->path);
    if (rename(draft->path, path) != 0)
        return error_os(err, errno, "rename %s", draft->path);
    close(draft->fd);
    draft->fd = -1;
    return true;
}

bool file_write(const char *path, struct bytes data, struct error *err)
{
    AUTO(draft_drop) struct draft draft = {.fd = -1};

    if (draft_open(&draft, path, err) && fd_write_all(draft.fd, data, err) &&
        draft_publish(&draft, path, err))
        return true;
    return error_wrap(err, "save %s", path);
}

bool dir_make(const char *path, struct error *err)
{
    char partial[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return error_set(err, ERROR_LIMIT, "folder name of %zu bytes", length);
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        char kept = partial[i];
        partial[i] = '\0';
        if (mkdir(partial, 0700) != 0 && errno != EEXIST)
            return error_os(err, errno, "make folder %s", partial);
        partial[i] = kept;
    }
    struct stat stat_;
    if (stat(path, &stat_) != 0)
        return error_os(err, errno, "make folder %s", path);
    return S_ISDIR(stat_.st_mode) || error_os(err, ENOTDIR, "make folder %s", path);
}

static bool remove_at(int parent, const char *name, unsigned depth, struct error *err);

static bool empty_dir(int fd, unsigned depth, struct error *err)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return error_os(err, errno, "list folder");
    }
    bool done = true;
    for (struct dirent *entry; done && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            done = remove_at(dirfd(dir), entry->d_name, depth + 1, err);
    closedir(dir);
    return done;
}

static bool remove_at(int parent, const char *name, unsigned depth, struct error *err)
{
    enum { MAX_DEPTH = 256 }; /* bounds the recursion and the open descriptors */
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return error_os(err, errno, "remove %s", name);
    if (depth > MAX_DEPTH)
        return error_set(err, ERROR_LIMIT, "remove %s: more than %d folders deep", name, MAX_DEPTH);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_os(err, errno, "remove %s", name);
    if (!empty_dir(fd, depth, err))
        return error_wrap(err, "%s", name);
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return error_os(err, errno, "remove %s", name);
    return true;
}

bool tree_remove(const char *path, struct error *err)
{
    return remove_at(AT_FDCWD, path, 0, err);
}
