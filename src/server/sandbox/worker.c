/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/error.h"
#include "sandbox/channel_internal.h"
#include "sandbox/confine.h"

/* Where the worker's descriptors end up; all above are closed. */
enum { FILE_FD = 0, NULL_FD_OUT = 1, NULL_FD_ERR = 2, REPLY_FD = 3, FIRST_OTHER_FD = 4 };

static bool fds_arrange(const int fds[MAX_PASSED])
{
    /* First out of the way of the numbers that are wanted. */
    int file = fcntl(fds[0], F_DUPFD, 16), reply = fcntl(fds[2], F_DUPFD, 16);
    int nowhere = open("/dev/null", O_RDWR);
    return file >= 0 && reply >= 0 && nowhere >= 0 && dup2(file, FILE_FD) >= 0 &&
           dup2(nowhere, NULL_FD_OUT) >= 0 && dup2(nowhere, NULL_FD_ERR) >= 0 &&
           dup2(reply, REPLY_FD) >= 0 && syscall(SYS_close_range, FIRST_OTHER_FD, ~0U, 0) == 0;
}

static void out_of_time(int number)
{
    static const uint8_t reply[OUT_OF_TIME_SIZE];
    (void)number;
    if (write(REPLY_FD, reply, sizeof reply) != (ssize_t)sizeof reply)
        _exit(1);
    _exit(0);
}

void worker_allow(int cpu_s)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_CPU, &now) != 0)
        return; /* what it has must do */
    rlim_t most = now.rlim_max - 1;
    now.rlim_cur = (rlim_t)cpu_s < most ? (rlim_t)cpu_s : most;
    setrlimit(RLIMIT_CPU, &now);
}

static NORETURN void work_on(const struct ask *ask, const int fds[MAX_PASSED], pid_t parent,
                             worker_function *work)
{
    uint8_t reply[REPLY_SIZE];
    struct limits limits = {.memory_bytes = ask->memory_bytes, .cpu_s = (int)ask->cpu_s};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    void *shared = mmap(NULL, ask->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    const struct sigaction enough = {.sa_handler = out_of_time};
    if (shared == MAP_FAILED || !fds_arrange(fds) || sigaction(SIGXCPU, &enough, NULL) != 0 ||
        !confine(&limits, REPLY_FD, NULL))
        _exit(1);
    worker_allow(1);
    struct worker_job job = {.file = FILE_FD,
                             .request = ask->request,
                             .request_size = ask->request_size,
                             .shared = shared,
                             .shared_bytes = ask->shared_bytes};
    size_t size = work(&job, reply, sizeof reply);
    if (size > 0 && size <= sizeof reply && write(REPLY_FD, reply, size) == (ssize_t)size)
        _exit(0);
    _exit(1);
}

static bool serve_one(const struct ask *ask, const int fds[MAX_PASSED], worker_function *work)
{
    struct started started = {0};
    pid_t parent = getpid();
    int pidfd = -1;
    pid_t child = -1;
    errno = EINVAL;
    if (ask->request_size <= REQUEST_SIZE)
        child = fork();
    if (child == 0)
        work_on(ask, fds, parent, work);
    if (child > 0)
        pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (child < 0 || pidfd < 0)
        started.os = errno;
    bool sent = channel_send(CONTROL_FD, &started, sizeof started, &pidfd, started.os == 0 ? 1 : 0);
    if (pidfd >= 0)
        close(pidfd);
    return sent;
}

/* Collects workers that have ended; true while some have not. */
static bool workers_left(void)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(-1, &status, WNOHANG);
    while (pid > 0);
    return pid == 0;
}

int worker_serve(worker_function *work, int idle_ms)
{
    fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
    for (;;) {
        struct pollfd poll_for = {.fd = CONTROL_FD, .events = POLLIN};
        bool busy = workers_left();
        int ready = poll(&poll_for, 1, busy ? 200 : idle_ms);
        if (ready < 0 && errno != EINTR)
            return 1;
        if (ready == 0 && !busy)
            return 0;
        if (ready <= 0)
            continue;
        struct ask ask;
        int fds[MAX_PASSED], count = MAX_PASSED;
        if (!channel_receive(CONTROL_FD, &ask, sizeof ask, fds, &count))
            return errno == 0 ? 0 : 1;
        bool served = count == MAX_PASSED && serve_one(&ask, fds, work);
        for (int i = 0; i < count; i++)
            close(fds[i]);
        if (!served)
            return 1;
    }
}
