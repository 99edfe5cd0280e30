/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/program.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/error.h"

static int spawn(const struct program *program, const int *fds, pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, standard;
    sigemptyset(&none);
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &standard);
    for (size_t i = 0; i < program->fd_count; i++)
        posix_spawn_file_actions_adddup2(&actions, fds[i], PROGRAM_FIRST_FD + (int)i);
    int failed = posix_spawn(out_pid, program->path, &actions, &attributes, program->arguments,
                             program->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

bool program_start(const struct program *program, pid_t *out_pid, struct error *err)
{
    /* dup2 onto itself would keep close-on-exec, and one number may stand in another's way: so all
     * are moved behind the numbers that they get. */
    int moved[PROGRAM_FDS_MAX] = {0}, failed = 0;
    size_t count = 0;
    assert(program->fd_count <= PROGRAM_FDS_MAX);
    for (; count < program->fd_count && !failed; count++) {
        moved[count] =
            fcntl(program->fds[count], F_DUPFD_CLOEXEC, PROGRAM_FIRST_FD + PROGRAM_FDS_MAX);
        failed = moved[count] < 0 ? errno : 0;
    }
    if (!failed)
        failed = spawn(program, moved, out_pid);
    while (count > 0)
        if (moved[--count] >= 0)
            close(moved[count]);
    if (!failed)
        return true;
    *out_pid = 0;
    error_os(err, failed, "start %s", program->path);
    if (err)
        err->kind = ERROR_UNAVAILABLE;
    return false;
}
