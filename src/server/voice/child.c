/* SPDX-License-Identifier: Apache-2.0 */
#include "voice/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

enum {
    MEMORY_LIMIT_MB = 768, /* address space; the dictionary alone maps 110 MB */
    FILE_LIMIT_BYTES = 1 << 20,
    READ_SIZE = 16 * 1024,
};

/* The input in memory, so that a child which does not read cannot stall us. */
static int input_open(struct bytes input, struct error *err)
{
    AUTO(fd_close) int fd = memfd_create("voice-input", MFD_CLOEXEC);
    if (fd < 0) {
        error_os(err, errno, "memfd_create");
        return -1;
    }
    for (size_t done = 0; done < input.size;) {
        ssize_t wrote = pwrite(fd, input.data + done, input.size - done, (off_t)done);
        if (wrote < 0) {
            error_os(err, errno, "write %zu bytes", input.size);
            return -1;
        }
        done += (size_t)wrote;
    }
    return fd_take(&fd);
}

/* In this order no source is overwritten before it is used, as long as 0, 1 and 2 are open in
 * this process; the same number twice only clears close-on-exec. */
static bool actions_fill(posix_spawn_file_actions_t *actions, int input, int output, int extra)
{
    return posix_spawn_file_actions_adddup2(actions, input, 0) == 0 &&
           posix_spawn_file_actions_adddup2(actions, output, 1) == 0 &&
           posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
           (extra < 0 || posix_spawn_file_actions_adddup2(actions, extra, 3) == 0) &&
           posix_spawn_file_actions_addclosefrom_np(actions, extra < 0 ? 3 : 4) == 0;
}

static void limit(pid_t pid, int resource, rlim_t value)
{
    struct rlimit both = {value, value};
    prlimit(pid, resource, &both, NULL); /* it may be gone already: nothing is left to limit */
}

static bool start(const struct child_job *job, int input, int output, pid_t *out_pid,
                  struct error *err)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", locale[] = "LC_ALL=C";
    static char *const environment[] = {path, locale, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    int result = ENOMEM;
    if (actions_fill(&actions, input, output, job->extra_fd))
        result = posix_spawnp(out_pid, job->argv[0], &actions, &attributes,
                              (char *const *)job->argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (result != 0) {
        error_os(err, result, "start %s", job->argv[0]);
        if (err)
            err->kind = result == ENOENT ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE;
        return false;
    }
    limit(*out_pid, RLIMIT_AS, (rlim_t)MEMORY_LIMIT_MB << 20);
    limit(*out_pid, RLIMIT_CPU, (rlim_t)job->timeout_ms / 1000 + 1);
    limit(*out_pid, RLIMIT_FSIZE, FILE_LIMIT_BYTES);
    limit(*out_pid, RLIMIT_CORE, 0);
    return true;
}

static bool read_until(int fd, int64_t deadline_ms, struct buf *out, struct error *err)
{
    for (;;) {
        int64_t left_ms = deadline_ms - mono_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            return error_os(err, errno, "poll");
        if (ready == 0)
            return error_set(err, ERROR_TIMEOUT, "took too long");
        uint8_t room[READ_SIZE];
        ssize_t size = read(fd, room, sizeof room);
        if (size < 0 && errno != EINTR)
            return error_os(err, errno, "read");
        if (size == 0)
            return true;
        if (size > 0 && !buf_append(out, (struct bytes){room, (size_t)size}, err))
            return false;
    }
}

bool child_run(const struct child_job *job, struct buf *out, struct error *err)
{
    int64_t deadline_ms = mono_ms() + job->timeout_ms;
    int ends[2];
    AUTO(fd_close) int input = input_open(job->input, err);
    if (input < 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_os(err, errno, "pipe");
    AUTO(fd_close) int from_child = ends[0];
    AUTO(fd_close) int to_us = ends[1];

    pid_t pid;
    if (!start(job, input, to_us, &pid, err))
        return false;
    close(fd_take(&to_us));
    bool ok = read_until(from_child, deadline_ms, out, err);
    if (!ok)
        kill(-pid, SIGKILL);
    else if (mono_ms() < deadline_ms)
        close(fd_take(&from_child)); /* a child that goes on writing ends with SIGPIPE */
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ok)
        return error_wrap(err, "%s", job->argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_UNAVAILABLE, "%s failed (status %d)", job->argv[0], status);
    return true;
}
