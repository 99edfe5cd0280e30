/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/child_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "infer/control_internal.h"
#include "infer/runtime.h"
#include "sys/fdpass.h"
#include "sys/peer.h"
#include "sys/program.h"

enum {
    HELLO_MS = 60 * 1000, /* loading the runtime's library, from a slow disk */
    LANE_KEEP = 64 << 20, /* bytes that a lane may hold while nobody uses it */
    LANES_KEPT = 8,       /* lanes that nobody uses */
    FIRST_FREE_FD = 10,   /* above those that the child gets */
};

struct child {
    char *program, *library; /* the library may be NULL */
    pthread_mutex_t lock;    /* everything below */
    pthread_cond_t changed;
    pid_t pid; /* 0: there is no process */
    int hello, stop;
    bool greeted;
    struct wire_hello greeting;
    uint64_t generation;
    uint32_t lanes_made, numbers;
    struct lane *idle;
    int inside, want_alone;
    bool alone;
    uint64_t deaths;
    int last_signal; /* that ended the last one */
    struct {
        uint64_t generation;
        uint32_t lane;
    } killed; /* the last one that was ended on purpose, and because of whom */
};

static char *program_find(struct error *err)
{
    static const char *const places[] = {"vmad-infer", "../libexec/vmad/vmad-infer"};
    AUTO(mem_free) char *self = self_path(err);
    if (!self)
        return NULL;
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO(mem_free) char *path = xasprintf("%s/%s", self, places[i]);
        if (access(path, X_OK) == 0)
            return TAKE(path);
    }
    error_set(err, ERROR_UNAVAILABLE, "vmad-infer is not beside this program in %s", self);
    return NULL;
}

/* A pair whose second end is out of the way of the numbers that the child gets. */
static bool pair_make(int *out_ours, int *out_theirs, struct error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_os(err, errno, "make a socket pair");
    *out_ours = pair[0];
    *out_theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int failed = errno;
    close(pair[1]);
    return *out_theirs >= 0 || error_os(err, failed, "make a socket pair");
}

static bool process_spawn(struct child *child, int hello, int stop, struct error *err)
{
    char *const words[] = {child->program, child->library, NULL};
    /* Its environment is ours: drivers and their tools are steered by it. */
    const struct program program = {
        .path = child->program,
        .arguments = words,
        .environment = environ,
        .fds = {[HELLO_FD - PROGRAM_FIRST_FD] = hello, [STOP_FD - PROGRAM_FIRST_FD] = stop},
        .fd_count = 2};
    child->pid = 0;
    return program_start(&program, &child->pid, err);
}

/* Under the lock; there is no process. */
static bool process_start(struct child *child, struct error *err)
{
    AUTO(fd_close) int hello = -1;
    AUTO(fd_close) int their_hello = -1;
    AUTO(fd_close) int stop = -1;
    AUTO(fd_close) int their_stop = -1;
    if (!pair_make(&hello, &their_hello, err) || !pair_make(&stop, &their_stop, err) ||
        !process_spawn(child, their_hello, their_stop, err))
        return false;
    child->hello = fd_take(&hello);
    child->stop = fd_take(&stop);
    child->greeted = false;
    child->generation++;
    return true;
}

static void lanes_drop(struct child *child)
{
    while (child->idle) {
        struct lane *lane = child->idle;
        child->idle = lane->next;
        child_lane_drop(lane);
    }
}

/* Under the lock. What it died of, for the log. */
static int process_end(struct child *child)
{
    int status = 0;
    close(child->hello); /* it ends when it sees that, unless it has */
    close(child->stop);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    lanes_drop(child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

struct child *child_new(const char *program, const char *library, struct error *err)
{
    AUTO(mem_free) char *found = program ? xstrdup(program) : program_find(err);
    if (!found)
        return NULL;
    struct child *child = xcalloc(1, sizeof *child);
    child->program = TAKE(found);
    child->library = library ? xstrdup(library) : NULL;
    pthread_mutex_init(&child->lock, NULL);
    pthread_cond_init(&child->changed, NULL);
    pthread_mutex_lock(&child->lock);
    bool started = process_start(child, err);
    pthread_mutex_unlock(&child->lock);
    if (started)
        return child;
    child_free(child);
    return NULL;
}

void child_free(struct child *child)
{
    if (!child)
        return;
    pthread_mutex_lock(&child->lock);
    if (child->pid)
        process_end(child);
    pthread_mutex_unlock(&child->lock);
    pthread_cond_destroy(&child->changed);
    pthread_mutex_destroy(&child->lock);
    free(child->program);
    free(child->library);
    free(child);
}

/* Under the lock. */
static bool greet(struct child *child, struct error *err)
{
    struct pollfd from = {.fd = child->hello, .events = POLLIN};
    int ready;
    do
        ready = poll(&from, 1, HELLO_MS);
    while (ready < 0 && errno == EINTR);
    struct wire_hello *hello = &child->greeting;
    if (ready <= 0 || !wire_receive(child->hello, hello, sizeof *hello) ||
        hello->version != WIRE_VERSION)
        return error_set(err, ERROR_UNAVAILABLE, "%s does not answer", child->program);
    hello->library[sizeof hello->library - 1] = hello->runtime[sizeof hello->runtime - 1] = '\0';
    child->greeted = true;
    return hello->fine || wire_error_get(&hello->error, err);
}

/* Under the lock. */
static void process_lost(struct child *child)
{
    pid_t pid = child->pid;
    child->last_signal = process_end(child);
    child->deaths++;
    log_warn("inference.died", LOG_INT("pid", pid), LOG_INT("signal", child->last_signal),
             LOG_INT("deaths", (int64_t)child->deaths));
}

/* Under the lock. */
static bool process_alive(const struct child *child)
{
    struct pollfd look = {.fd = child->stop, .events = POLLRDHUP};
    return poll(&look, 1, 0) == 0;
}

/* Under the lock. A process that ended while nobody looked is no news: a new one is started. */
static bool process_there(struct child *child, struct error *err)
{
    if (child->pid && !process_alive(child))
        process_lost(child);
    if (!child->pid && !process_start(child, err))
        return false;
    if (child->greeted || greet(child, err))
        return true;
    process_end(child);
    return false;
}

bool child_hello(struct child *child, struct wire_hello *out, struct error *err)
{
    pthread_mutex_lock(&child->lock);
    bool there = process_there(child, err);
    if (there)
        *out = child->greeting;
    pthread_mutex_unlock(&child->lock);
    return there;
}

/* Who waits to be let in. */
struct entering {
    struct child *child;
    bool stopped; /* under the lock */
};

static void entering_stop(void *context)
{
    struct entering *entering = context;
    pthread_mutex_lock(&entering->child->lock);
    entering->stopped = true;
    pthread_cond_broadcast(&entering->child->changed);
    pthread_mutex_unlock(&entering->child->lock);
}

bool child_enter(struct child *child, bool alone, struct run_control *control, struct error *err)
{
    struct entering entering = {.child = child};
    if (!run_control_begin(control, entering_stop, &entering, err))
        return false;
    pthread_mutex_lock(&child->lock);
    child->want_alone += alone;
    while (!entering.stopped &&
           (child->alone || (alone ? child->inside > 0 : child->want_alone > 0)))
        pthread_cond_wait(&child->changed, &child->lock);
    child->want_alone -= alone;
    bool entered = !entering.stopped;
    if (entered) {
        child->alone = alone;
        child->inside++;
    } else {
        pthread_cond_broadcast(&child->changed); /* nobody need wait for it any more */
    }
    pthread_mutex_unlock(&child->lock);
    run_control_end(control);
    return entered || error_set(err, ERROR_CANCELLED, "cancelled before it began");
}

void child_leave(struct child *child)
{
    pthread_mutex_lock(&child->lock);
    child->inside--;
    child->alone = false;
    pthread_cond_broadcast(&child->changed);
    pthread_mutex_unlock(&child->lock);
}

static bool memory_make(struct lane *lane, struct error *err)
{
    lane->memory_fd = memfd_create("inference", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (lane->memory_fd < 0 || ftruncate(lane->memory_fd, (off_t)WIRE_LANE_BYTES) != 0 ||
        fcntl(lane->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return error_os(err, errno, "make shared memory");
    void *memory =
        mmap(NULL, WIRE_LANE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, lane->memory_fd, 0);
    if (memory == MAP_FAILED)
        return error_os(err, errno, "map shared memory");
    lane->memory = memory;
    return true;
}

/* Under the lock; the process is there. */
static struct lane *lane_make(struct child *child, struct error *err)
{
    AUTO(fd_close) int theirs = -1;
    struct lane *lane = xcalloc(1, sizeof *lane);
    *lane = (struct lane){.socket = -1, .memory_fd = -1, .wake = -1};
    lane->number = ++child->lanes_made;
    lane->generation = child->generation;
    lane->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool made = lane->wake >= 0 || error_os(err, errno, "make an event");
    made = made && pair_make(&lane->socket, &theirs, err) && memory_make(lane, err);
    const struct wire_lane wire = {.lane = lane->number};
    const int fds[] = {theirs, lane->memory_fd};
    made = made && fdpass_send(child->hello, (struct bytes){(const uint8_t *)&wire, sizeof wire},
                               fds, 2, err);
    if (made)
        return lane;
    child_lane_drop(lane);
    return NULL;
}

struct lane *child_lane(struct child *child, struct error *err)
{
    pthread_mutex_lock(&child->lock);
    struct lane *lane = NULL;
    if (process_there(child, err)) {
        lane = child->idle;
        if (lane)
            child->idle = lane->next;
        else
            lane = lane_make(child, err);
    }
    pthread_mutex_unlock(&child->lock);
    return lane;
}

void child_lane_return(struct child *child, struct lane *lane)
{
    if (lane->used > LANE_KEEP &&
        fallocate(lane->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  (off_t)WIRE_LANE_BYTES) == 0)
        lane->used = 0;
    pthread_mutex_lock(&child->lock);
    int kept = 0;
    for (const struct lane *each = child->idle; each; each = each->next)
        kept++;
    bool keep = child->pid && lane->generation == child->generation && kept < LANES_KEPT;
    if (keep) {
        lane->next = child->idle;
        child->idle = lane;
    }
    pthread_mutex_unlock(&child->lock);
    if (!keep)
        child_lane_drop(lane);
}

void child_lane_drop(struct lane *lane)
{
    if (lane->memory)
        munmap(lane->memory, WIRE_LANE_BYTES);
    fd_close_auto(&lane->memory_fd);
    fd_close_auto(&lane->socket);
    fd_close_auto(&lane->wake);
    free(lane);
}

void child_stop(struct child *child, const struct lane *lane)
{
    const struct wire_stop stop = {.lane = lane->number, .serial = lane->serial};
    const uint64_t one = 1;
    pthread_mutex_lock(&child->lock);
    if (child->pid && child->generation == lane->generation)
        (void)!send(child->stop, &stop, sizeof stop, MSG_NOSIGNAL | MSG_DONTWAIT);
    pthread_mutex_unlock(&child->lock);
    (void)!write(lane->wake, &one, sizeof one);
}

void child_kill(struct child *child, const struct lane *lane, const char *why)
{
    pthread_mutex_lock(&child->lock);
    bool there = child->pid && child->generation == lane->generation;
    if (there && child->killed.generation != lane->generation) {
        child->killed.generation = lane->generation;
        child->killed.lane = lane->number;
        log_warn("inference.killed", LOG_INT("pid", child->pid), LOG_TEXT("why", why));
        kill(child->pid, SIGKILL);
    }
    pthread_mutex_unlock(&child->lock);
}

int child_lost(struct child *child, const struct lane *lane, bool *out_bystander)
{
    pthread_mutex_lock(&child->lock);
    if (child->pid && child->generation == lane->generation)
        process_lost(child);
    int last = child->last_signal;
    *out_bystander =
        child->killed.generation == lane->generation && child->killed.lane != lane->number;
    pthread_mutex_unlock(&child->lock);
    return last;
}

uint64_t child_generation(struct child *child)
{
    pthread_mutex_lock(&child->lock);
    uint64_t generation = child->pid && process_alive(child) ? child->generation : 0;
    pthread_mutex_unlock(&child->lock);
    return generation;
}

void child_state(struct child *child, struct runtime_state *out)
{
    pthread_mutex_lock(&child->lock);
    out->apart = true;
    out->pid = child->pid;
    out->deaths = child->deaths;
    pthread_mutex_unlock(&child->lock);
}

uint32_t child_number(struct child *child)
{
    pthread_mutex_lock(&child->lock);
    uint32_t number = ++child->numbers;
    pthread_mutex_unlock(&child->lock);
    return number;
}
