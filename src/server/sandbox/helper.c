/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/channel_internal.h"
#include "sys/program.h"

/* A helper only starts workers, in a millisecond or two; on a crowded machine its own start takes
 * longest. */
enum { PATIENCE_S = 10 };

struct helper {
    char *program;
    pthread_mutex_t mutex; /* one conversation at a time; workers run side by side */
    int control;           /* -1 while there is no process */
    pid_t pid;
    unsigned started; /* processes so far: tells whose worker one is */
};

/* Nothing of this process's environment: it has secrets. */
static char *const environment[] = {(char[]){"LC_ALL=C.UTF-8"}, (char[]){"PATH=/usr/bin:/bin"},
                                    NULL};

static void control_close(struct helper *helper)
{
    if (helper->control < 0)
        return;
    close(helper->control); /* the helper ends when it reads the end of the stream */
    helper->control = -1;
    int status;
    while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
        ;
}

/* One that says nothing, or nonsense, is not waited for. */
static void process_kill(struct helper *helper)
{
    if (helper->control >= 0)
        kill(helper->pid, SIGKILL);
    control_close(helper);
}

static bool process_start(struct helper *helper, struct error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_os(err, errno, "make a socket pair");
    AUTO(fd_close) int ours = pair[0];
    AUTO(fd_close) int theirs = pair[1];
    char *const words[] = {helper->program, NULL};
    const struct program program = {.path = helper->program,
                                    .arguments = words,
                                    .environment = environment,
                                    .fds = {theirs},
                                    .fd_count = 1};
    if (!program_start(&program, &helper->pid, err))
        return false;
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(ours, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    helper->control = fd_take(&ours);
    helper->started++;
    return true;
}

struct helper *helper_open_later(const char *program)
{
    struct helper *helper = xcalloc(1, sizeof *helper);
    pthread_mutex_init(&helper->mutex, NULL);
    helper->program = xstrdup(program);
    helper->control = -1;
    return helper;
}

struct helper *helper_open(const char *program, struct error *err)
{
    AUTO(helper_close) struct helper *helper = helper_open_later(program);
    return process_start(helper, err) ? TAKE(helper) : NULL;
}

void helper_close(struct helper *helper)
{
    if (!helper)
        return;
    control_close(helper);
    pthread_mutex_destroy(&helper->mutex);
    free(helper->program);
    free(helper);
}

void helper_result_dispose(struct helper_result *result)
{
    if (result->shared)
        munmap((void *)(uintptr_t)result->shared, result->shared_bytes);
    *result = (struct helper_result){0};
}

/* A worker that was started. */
struct worker {
    int memory, reply, pidfd;
    unsigned helper; /* which of the processes it is of */
};

static void worker_end_auto(const struct worker *worker)
{
    /* Also after a reply: nothing may write to the shared memory while it is being read. */
    if (worker->pidfd >= 0) {
        syscall(SYS_pidfd_send_signal, worker->pidfd, SIGKILL, NULL, 0);
        close(worker->pidfd);
    }
    if (worker->memory >= 0)
        close(worker->memory);
    if (worker->reply >= 0)
        close(worker->reply);
}

/* Memory whose size the worker cannot change, or reading it could end this process. */
static int memory_make(size_t size, struct error *err)
{
    AUTO(fd_close) int fd = memfd_create("helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        error_os(err, errno, "make shared memory of %zu bytes", size);
        return -1;
    }
    return fd_take(&fd);
}

static bool converse(struct helper *helper, const struct ask *ask, const int fds[MAX_PASSED],
                     struct started *started, int *out_pidfd)
{
    int count = 1;
    *out_pidfd = -1;
    if (!channel_send(helper->control, ask, sizeof *ask, fds, MAX_PASSED) ||
        !channel_receive(helper->control, started, sizeof *started, out_pidfd, &count))
        return false;
    return started->os != 0 || count == 1;
}

/* Asks for a worker; a helper that has gone meanwhile (idle, or killed) is started again, once. */
static bool worker_ask(struct helper *helper, const struct ask *ask, const int fds[MAX_PASSED],
                       struct worker *out, struct error *err)
{
    struct started started = {0};
    pthread_mutex_lock(&helper->mutex);
    bool talked = helper->control >= 0 && converse(helper, ask, fds, &started, &out->pidfd);
    if (!talked) {
        process_kill(helper);
        talked = process_start(helper, err) && converse(helper, ask, fds, &started, &out->pidfd);
        if (!talked && helper->control >= 0) {
            process_kill(helper);
            error_set(err, ERROR_UNAVAILABLE, "%s does not answer", helper->program);
        }
    }
    out->helper = helper->started;
    pthread_mutex_unlock(&helper->mutex);
    if (talked && started.os != 0)
        return error_os(err, started.os, "start a worker");
    return talked;
}

static bool worker_start(struct helper *helper, const struct helper_job *job, struct worker *worker,
                         struct error *err)
{
    struct ask ask = {.shared_bytes = job->shared_bytes,
                      .memory_bytes = job->limits.memory_bytes,
                      .cpu_s = (uint32_t)job->limits.cpu_s,
                      .request_size = (uint32_t)job->request_size};
    int ends[2];
    memcpy(ask.request, job->request, job->request_size);
    worker->memory = memory_make(job->shared_bytes, err);
    if (worker->memory < 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_os(err, errno, "make a pipe");
    worker->reply = ends[0];
    AUTO(fd_close) int theirs = ends[1];
    const int fds[MAX_PASSED] = {job->file, worker->memory, theirs};
    return worker_ask(helper, &ask, fds, worker, err);
}

static bool reply_wait(const struct worker *worker, const struct helper_job *job,
                       struct helper_result *out, struct error *err)
{
    int64_t deadline_ms = mono_ms() + job->timeout_ms;
    for (;;) {
        struct pollfd poll_for = {.fd = worker->reply, .events = POLLIN};
        int64_t left_ms = deadline_ms - mono_ms();
        int ready = left_ms > 0 ? poll(&poll_for, 1, (int)left_ms) : 0;
        if (ready == 0)
            return error_set(err, ERROR_TIMEOUT, "not done after %lld ms",
                             (long long)job->timeout_ms);
        if (ready > 0)
            break;
        if (errno != EINTR)
            return error_os(err, errno, "wait for a worker");
    }
    ssize_t got;
    do
        got = read(worker->reply, out->reply, sizeof out->reply);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return error_set(err, ERROR_INTERNAL, "the worker died");
    if (got == OUT_OF_TIME_SIZE)
        return error_set(err, ERROR_TIMEOUT, "more processor time was asked for than is due");
    out->reply_size = (size_t)got;
    return true;
}

/* Whether the helper that started it is gone; its workers end with it, whatever they do. Only an
 * answer tells: its end of the stream is open for as long as a worker has not closed it. */
static bool worker_orphaned(struct helper *helper, const struct worker *worker, int any_file)
{
    const struct ask nothing = {.request_size = REQUEST_SIZE + 1};
    const int fds[MAX_PASSED] = {any_file, any_file, any_file};
    struct started refused = {0};
    int pidfd;
    pthread_mutex_lock(&helper->mutex);
    bool same = worker->helper == helper->started && helper->control >= 0;
    bool alive = same && converse(helper, &nothing, fds, &refused, &pidfd) && refused.os != 0;
    if (same && !alive)
        process_kill(helper);
    pthread_mutex_unlock(&helper->mutex);
    return !alive;
}

/* One try. *out_orphaned: the worker ended through no fault of the file. */
static bool try_run(struct helper *helper, const struct helper_job *job, struct helper_result *out,
                    bool *out_orphaned, struct error *err)
{
    AUTO(worker_end) struct worker worker = {-1, -1, -1, 0};
    *out_orphaned = false;
    if (!worker_start(helper, job, &worker, err))
        return false;
    if (!reply_wait(&worker, job, out, err)) {
        *out_orphaned = err->kind == ERROR_INTERNAL && worker_orphaned(helper, &worker, job->file);
        return false;
    }
    void *shared = mmap(NULL, job->shared_bytes, PROT_READ, MAP_SHARED, worker.memory, 0);
    if (shared == MAP_FAILED)
        return error_os(err, errno, "map %zu bytes", job->shared_bytes);
    out->shared = shared;
    return true;
}

bool helper_run(struct helper *helper, const struct helper_job *job, struct helper_result *out,
                struct error *err)
{
    bool orphaned;
    *out = (struct helper_result){.shared_bytes = job->shared_bytes};
    if (job->request_size > REQUEST_SIZE)
        return error_set(err, ERROR_INTERNAL, "a request of %zu bytes", job->request_size);
    if (try_run(helper, job, out, &orphaned, err))
        return true;
    if (!orphaned)
        return false;
    log_warn("helper.ended", LOG_TEXT("program", helper->program));
    if (try_run(helper, job, out, &orphaned, err))
        return true;
    return orphaned
               ? error_set(err, ERROR_UNAVAILABLE, "%s ended twice under a job", helper->program)
               : false;
}
