/* SPDX-License-Identifier: Apache-2.0 */
/* This program is its own helper: started with a socket as descriptor 3 it serves jobs, whose
 * first byte says how its worker misbehaves. */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "sandbox/helper.h"
#include "sandbox/worker.h"

enum deed {
    ADD = 1,
    LOOP,
    LOOP_UNTIMED,
    EAT_MEMORY,
    CRASH,
    OPEN_FILE,
    WRITE_FILE,
    RUN_PROGRAM,
    MAKE_SOCKET,
    FORK,
    KILL_PARENT,
    USE_THREADS,
    WRITE_STDERR,
    MAP_CODE,
    SAY_NOTHING,
    WAIT_FOR_FILE,
};

static volatile unsigned sink;

static void *count_up(void *number)
{
    ++*(int *)number;
    return NULL;
}

static int threads_used(void)
{
    int numbers[4] = {1, 2, 3, 4}, sum = 0;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, count_up, &numbers[i]) != 0)
            return -1;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += numbers[i];
    }
    return sum;
}

static int memory_eaten(void)
{
    int mebibytes = 0;
    for (; mebibytes < 4096; mebibytes++) {
        char *block =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            break;
        memset(block, 1, 1 << 20);
    }
    return mebibytes;
}

static int opened(const char *path, int flags)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

static int misbehave(enum deed deed)
{
    char *const words[] = {(char[]){"/bin/true"}, NULL};
    switch (deed) {
    case LOOP:
    case LOOP_UNTIMED:
        for (;;)
            sink++;
    case EAT_MEMORY:
        return memory_eaten();
    case CRASH:
        raise(SIGSEGV);
        abort();
    case OPEN_FILE:
        return opened("/etc/passwd", O_RDONLY);
    case WRITE_FILE:
        return opened("/tmp/left-behind", O_CREAT | O_WRONLY);
    case RUN_PROGRAM:
        return execv(words[0], words);
    case MAKE_SOCKET:
        return socket(AF_INET, SOCK_STREAM, 0);
    case FORK:
        return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    case KILL_PARENT:
        return kill(getppid(), SIGKILL);
    case USE_THREADS:
        return threads_used();
    case WRITE_STDERR:
        return write(2, "x", 1) < 0 ? -errno : 1;
    case MAP_CODE:
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
               MAP_FAILED;
    default:
        return 0;
    }
}

static size_t work(const struct worker_job *job, uint8_t *reply, size_t reply_size)
{
    (void)reply_size;
    if (job->request[0] == SAY_NOTHING)
        return 0;
    if (job->request[0] == ADD) {
        uint8_t text[4] = {0};
        if (pread(job->file, text, sizeof text, 0) != sizeof text)
            return 0;
        for (size_t i = 0; i < 4; i++)
            job->shared[i] = (uint8_t)(text[i] + job->request[1]);
        job->shared[job->shared_bytes - 1] = 77;
    }
    char first = 0;
    while (job->request[0] == WAIT_FOR_FILE && first != 'g') {
        const struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
        if (pread(job->file, &first, 1, 0) != 1)
            return 0;
    }
    int result = misbehave((enum deed)job->request[0]);
    memcpy(reply, &result, sizeof result);
    return sizeof result;
}

static char *self(void)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(size > 0);
    path[size] = '\0';
    return path;
}

struct fixture {
    struct helper *helper;
    int file;
};

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->helper = helper_open(self(), &err);
    assert_ok(fixture->helper, &err);
    fixture->file = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(fixture->file, "abcd", 4), 4);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    helper_close(fixture->helper);
    close(fixture->file);
    free(fixture);
    return 0;
}

static bool run(const struct fixture *fixture, enum deed deed, int *out, struct error *err)
{
    uint8_t request[2] = {(uint8_t)deed, 1};
    struct helper_job job = {.file = fixture->file,
                             .request = request,
                             .request_size = sizeof request,
                             .shared_bytes = 8192,
                             .limits = {.memory_bytes = (size_t)64 << 20, .cpu_s = 5},
                             .timeout_ms = deed == LOOP ? 100 : 20000};
    AUTO(helper_result_dispose) struct helper_result result = {0};
    if (!helper_run(fixture->helper, &job, &result, err))
        return false;
    assert_int_equal(result.reply_size, sizeof *out);
    memcpy(out, result.reply, sizeof *out);
    if (deed == ADD) {
        assert_memory_equal(result.shared, "bcde", 4);
        assert_int_equal(((const uint8_t *)result.shared)[8191], 77);
    }
    return true;
}

/* After whatever happened, the next job is served. */
static void assert_goes_on(const struct fixture *fixture)
{
    struct error err;
    int result = -1;
    assert_ok(run(fixture, ADD, &result, &err), &err);
    assert_int_equal(result, 0);
}

static void a_worker_reads_its_file_and_fills_the_memory(void **state)
{
    for (int i = 0; i < 20; i++)
        assert_goes_on(*state);
}

static void an_endless_loop_ends_at_the_deadline(void **state)
{
    struct error err;
    int result;
    int64_t start_ms = mono_ms();
    assert_false(run(*state, LOOP, &result, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    assert_in_range(mono_ms() - start_ms, 90, 5000);
    assert_goes_on(*state);
}

/* The thread sanitizer holds signals back until a library is called, and the loop calls none. */
#if defined(__SANITIZE_THREAD__)
#define HOLDS_SIGNALS 1
#elif defined(__has_feature)
#define HOLDS_SIGNALS __has_feature(thread_sanitizer)
#else
#define HOLDS_SIGNALS 0
#endif

static void an_endless_loop_ends_when_its_processor_time_is_used_up(void **state)
{
    if (HOLDS_SIGNALS)
        skip();
    struct error err;
    int result;
    assert_false(run(*state, LOOP_UNTIMED, &result, &err));
    assert_int_equal(err.kind, ERROR_TIMEOUT);
    assert_non_null(strstr(err.text, "processor time"));
    assert_goes_on(*state);
}

/* A sanitizer's shadow memory is larger than any limit, so there is none then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNLIMITED 1
#elif defined(__has_feature)
#define UNLIMITED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define UNLIMITED 0
#endif

static void memory_ends_at_the_limit(void **state)
{
    struct error err;
    int mebibytes = 0;
    if (UNLIMITED)
        skip();
    assert_ok(run(*state, EAT_MEMORY, &mebibytes, &err), &err);
    assert_in_range(mebibytes, 1, 64);
    assert_goes_on(*state);
}

static void what_kills_the_worker_is_an_error_and_no_more(void **state)
{
    const enum deed deeds[] = {CRASH,       RUN_PROGRAM, MAKE_SOCKET, FORK,
                               KILL_PARENT, MAP_CODE,    SAY_NOTHING};
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        struct error err = {0};
        int result;
        if (run(*state, deeds[i], &result, &err))
            fail_msg("deed %d passed", (int)deeds[i]);
        assert_error(&err, ERROR_INTERNAL, "the worker died");
        assert_goes_on(*state);
    }
}

static void no_file_can_be_opened_or_written(void **state)
{
    const enum deed deeds[] = {OPEN_FILE, WRITE_FILE, WRITE_STDERR};
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        struct error err;
        int result = 0;
        assert_ok(run(*state, deeds[i], &result, &err), &err);
        assert_int_equal(result, -EPERM);
    }
    assert_int_not_equal(access("/tmp/left-behind", F_OK), 0);
}

static void threads_work_inside(void **state)
{
    struct error err;
    int result = 0;
    assert_ok(run(*state, USE_THREADS, &result, &err), &err);
    assert_int_equal(result, 14);
}

/* The first child of any of its threads, or 0. */
static pid_t child_of(pid_t parent)
{
    char path[64];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads && pid == 0 && (thread = readdir(threads));) {
        snprintf(path, sizeof path, "/proc/%d/task/%.10s/children", (int)parent, thread->d_name);
        FILE *list = fopen(path, "re");
        if (list && fscanf(list, "%d", &pid) != 1)
            pid = 0;
        if (list)
            fclose(list);
    }
    if (threads)
        closedir(threads);
    return pid;
}

static void a_helper_that_was_killed_is_started_again(void **state)
{
    assert_goes_on(*state);
    pid_t helper = child_of(getpid());
    assert_int_not_equal(helper, 0);
    kill(helper, SIGKILL);
    assert_goes_on(*state);
}

static void *run_waiting(void *fixture)
{
    struct error err;
    int result = -1;
    assert_ok(run(fixture, WAIT_FOR_FILE, &result, &err), &err);
    assert_int_equal(result, 0);
    return NULL;
}

/* The helper that is there, once it has a worker. */
static pid_t busy_helper_await(void)
{
    int64_t until_ms = mono_ms() + 20000;
    for (; mono_ms() < until_ms; sched_yield()) {
        pid_t helper = child_of(getpid());
        if (helper && child_of(helper))
            return helper;
    }
    fail_msg("no worker was started");
    return 0;
}

static void jobs_whose_helper_ends_under_them_are_done_again(void **state)
{
    struct fixture *fixture = *state;
    siginfo_t end;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, run_waiting, fixture);
    pid_t helper = busy_helper_await();
    kill(helper, SIGKILL);
    while (waitid(P_PID, (id_t)helper, &end, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    assert_int_equal(pwrite(fixture->file, "g", 1, 0), 1);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

struct vain {
    struct fixture *fixture;
    struct error err;
    bool passed;
    atomic_bool ended;
};

static void *run_in_vain(void *context)
{
    struct vain *vain = context;
    int result = -1;
    vain->passed = run(vain->fixture, WAIT_FOR_FILE, &result, &vain->err);
    atomic_store(&vain->ended, true);
    return NULL;
}

static void a_job_whose_helper_ends_again_and_again_is_not_blamed_on_its_file(void **state)
{
    struct vain vain = {.fixture = *state};
    pthread_t thread;
    pthread_create(&thread, NULL, run_in_vain, &vain);
    for (; !atomic_load(&vain.ended); sched_yield()) {
        pid_t helper = child_of(getpid());
        if (helper && child_of(helper))
            kill(helper, SIGKILL);
    }
    pthread_join(thread, NULL);
    assert_false(vain.passed);
    assert_int_equal(vain.err.kind, ERROR_UNAVAILABLE);
    assert_goes_on(*state);
}

static void *run_loop(void *fixture)
{
    struct error err;
    int result;
    assert_false(run(fixture, LOOP, &result, &err));
    return NULL;
}

static void one_job_does_not_wait_for_another(void **state)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, run_loop, *state);
    assert_goes_on(*state);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void a_program_that_is_not_there_is_said_so(void **state)
{
    (void)state;
    struct error err;
    assert_null(helper_open("/nowhere/vmad-decoder", &err));
    assert_error(&err, ERROR_UNAVAILABLE, "start /nowhere/vmad-decoder: No such file or directory");
}

static void a_program_that_ends_at_once_is_an_error(void **state)
{
    struct fixture broken = {.file = ((struct fixture *)*state)->file};
    struct error err;
    int result;
    broken.helper = helper_open("/bin/true", &err);
    assert_ok(broken.helper, &err);
    assert_false(run(&broken, ADD, &result, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    helper_close(broken.helper);
}

#define IN_HELPER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
        return worker_serve(work, 60000);
    const struct CMUnitTest tests[] = {
        IN_HELPER(a_worker_reads_its_file_and_fills_the_memory),
        IN_HELPER(an_endless_loop_ends_at_the_deadline),
        IN_HELPER(an_endless_loop_ends_when_its_processor_time_is_used_up),
        IN_HELPER(memory_ends_at_the_limit),
        IN_HELPER(what_kills_the_worker_is_an_error_and_no_more),
        IN_HELPER(no_file_can_be_opened_or_written),
        IN_HELPER(threads_work_inside),
        IN_HELPER(a_helper_that_was_killed_is_started_again),
        IN_HELPER(jobs_whose_helper_ends_under_them_are_done_again),
        IN_HELPER(a_job_whose_helper_ends_again_and_again_is_not_blamed_on_its_file),
        IN_HELPER(one_job_does_not_wait_for_another),
        cmocka_unit_test(a_program_that_is_not_there_is_said_so),
        IN_HELPER(a_program_that_ends_at_once_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
