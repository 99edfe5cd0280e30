/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/mem.h"
#include "sys/fds.h"

#ifndef __linux__ /* where unistd.h has it */
extern char **environ;
#endif

enum stage { STAGE_FOLDER, STAGE_STREAMS, STAGE_TERMINAL, STAGE_EXEC };

struct failure {
    enum stage stage;
    int os;
};

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length + 1) == 0;
}

/* Ours, with what is added in place of what has the same name. */
static char **environment_new(const char *const *added)
{
    size_t ours = 0, more = 0;
    while (environ && environ[ours])
        ours++;
    while (added && added[more])
        more++;
    char **all = xcalloc(ours + more + 1, sizeof *all);
    size_t count = 0;
    for (size_t i = 0; i < ours; i++) {
        bool replaced = false;
        for (size_t j = 0; j < more; j++)
            replaced = replaced || same_name(added[j], environ[i]);
        if (!replaced)
            all[count++] = environ[i];
    }
    for (size_t i = 0; i < more; i++)
        all[count++] = (char *)(uintptr_t)added[i];
    return all;
}

/* Below: in the child, where only what is safe in a signal handler may be called. */

static void signals_reset(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, &act, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool streams_place(const int fds[3])
{
    int moved[3];
    for (int i = 0; i < 3; i++) {
        int fd = fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);
        moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of 0, 1 and 2 */
        if (moved[i] < 0)
            return false;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0)
            return false;
    return true;
}

static void files_limit(unsigned long files)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= files)
        return;
    limit.rlim_cur = files;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void child(const struct spawn *spawn, char **environment, int report)
{
    struct failure failure = {.stage = STAGE_STREAMS};
    signals_reset();
    if (spawn->own_session || spawn->terminal)
        setsid();
    else if (spawn->own_group)
        setpgid(0, 0);
    bool ready = streams_place(spawn->fds);
    if (spawn->files)
        files_limit(spawn->files);
    if (ready && spawn->terminal) {
        failure.stage = STAGE_TERMINAL;
        ready = ioctl(0, TIOCSCTTY, 0) == 0;
    }
    if (ready && spawn->folder) {
        failure.stage = STAGE_FOLDER;
        ready = chdir(spawn->folder) == 0;
    }
    if (ready) {
        failure.stage = STAGE_EXEC;
        environ = environment;
        execvp(spawn->arguments[0], (char *const *)(uintptr_t)spawn->arguments);
    }
    failure.os = errno;
    ssize_t told = write(report, &failure, sizeof failure);
    _exit(told == sizeof failure ? 127 : 126);
}

unsigned long spawn_widen(void)
{
    enum { FILES_MAX = 65536, FILES_SURE = 10240 /* where the system has a limit of its own */ };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    rlim_t most = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
    if (before >= most)
        return (unsigned long)before;
    limit.rlim_cur = most;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && before < FILES_SURE && FILES_SURE < most) {
        limit.rlim_cur = FILES_SURE;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return (unsigned long)before;
}

static bool failure_tell(const struct spawn *spawn, struct failure failure, struct error *err)
{
    if (failure.stage == STAGE_FOLDER)
        return error_os(err, failure.os, "enter folder %s", spawn->folder);
    if (failure.stage == STAGE_EXEC)
        return error_os(err, failure.os, "start %s", spawn->arguments[0]);
    return error_os(err, failure.os, "prepare the %s of %s",
                    failure.stage == STAGE_TERMINAL ? "terminal" : "streams", spawn->arguments[0]);
}

void spawn_fill_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

pid_t spawn_start(const struct spawn *spawn, struct error *err)
{
    int report[2];
    if (fds_pipe(report, FDS_BLOCKING) != 0) {
        error_os(err, errno, "start %s", spawn->arguments[0]);
        return -1;
    }
    AUTO(mem_free) char **environment = environment_new(spawn->environment);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* no handler of ours runs in the child */
    pid_t pid = fork();
    if (pid == 0)
        child(spawn, environment, report[1]);
    int forked = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    struct failure failure;
    ssize_t told = 0;
    if (pid > 0) {
        do
            told = read(report[0], &failure, sizeof failure);
        while (told < 0 && errno == EINTR);
    }
    close(report[0]);
    if (pid < 0) {
        error_os(err, forked, "start %s", spawn->arguments[0]);
        return -1;
    }
    if (told == sizeof failure) {
        waitpid(pid, NULL, 0);
        failure_tell(spawn, failure, err);
        return -1;
    }
    return pid;
}
