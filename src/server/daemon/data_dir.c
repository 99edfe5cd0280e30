/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

/* The lock goes away with the process, however that ends. */
static bool lock(struct data_dir *dir, struct error *err)
{
    AUTO(mem_free) char *path = xasprintf("%s/vmad.lock", dir->root);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_os(err, errno,
                        "the data directory %s cannot be written to (choose another with --data)",
                        dir->root);
    char owner[32] = "";
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = pread(fd, owner, sizeof owner - 1, 0);
        owner[size > 0 ? size : 0] = '\0';
        return error_set(err, ERROR_CONFLICT,
                         "the data directory %s is in use by another vmad (process %s): stop that, "
                         "or choose another directory with --data",
                         dir->root, owner[0] ? owner : "unknown");
    }
    int size = snprintf(owner, sizeof owner, "%ld", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, owner, (size_t)size, 0) != size)
        return error_os(err, errno, "the data directory %s cannot be written to", dir->root);
    dir->lock_fd = fd_take(&fd);
    return true;
}

bool data_dir_open(struct data_dir *dir, const char *root, struct error *err)
{
    *dir = (struct data_dir){.lock_fd = -1};
    if (!dir_make(root, err))
        return error_wrap(err, "data directory %s", root);
    char *real = realpath(root, NULL);
    if (!real)
        return error_os(err, errno, "data directory %s", root);
    dir->root = real;
    dir->spool = xasprintf("%s/spool", real);
    dir->store = xasprintf("%s/store", real);
    dir->jobs_db = xasprintf("%s/jobs.db", real);
    dir->state = xasprintf("%s/stage-times.json", real);
    dir->models = xasprintf("%s/models", real);
    dir->tuning = xasprintf("%s/tuning.json", real);
    bool fine = lock(dir, err) && tree_remove(dir->spool, err) && dir_make(dir->spool, err);
    if (!fine)
        data_dir_close(dir);
    return fine;
}

void data_dir_close(struct data_dir *dir)
{
    if (dir->lock_fd >= 0)
        close(fd_take(&dir->lock_fd));
    free(TAKE(dir->root));
    free(TAKE(dir->spool));
    free(TAKE(dir->store));
    free(TAKE(dir->jobs_db));
    free(TAKE(dir->state));
    free(TAKE(dir->models));
    free(TAKE(dir->tuning));
}
