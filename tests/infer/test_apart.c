/* SPDX-License-Identifier: Apache-2.0 */
/* Models in a process of their own: the same answers as here, and what becomes of a run when that
 * process is killed. The network of birefnet_slow.onnx runs for as long as its input is large. */
#include "support/test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "infer/runtime.h"
#include "infer/wire_internal.h"

#define STUBS SOURCE_DIR "/tests/data/models/"

enum { SIDE = 256, CELLS = 3 * SIDE * SIDE };

static const float at_once = 0.2f, half_a_second = 1.55f, for_ever = 2.4f;

struct fixture {
    struct runtime *apart;
    struct session *slow;
};

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->apart = runtime_open_apart(NULL, NULL, &err);
    assert_ok(fixture->apart, &err);
    const struct session_options options = {.threads = 1};
    fixture->slow = session_open(fixture->apart, STUBS "birefnet_slow.onnx", &options, &err);
    assert_ok(fixture->slow, &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    session_close(fixture->slow);
    runtime_close(fixture->apart);
    free(fixture);
    return 0;
}

static float *input_of(float value)
{
    float *values = malloc(CELLS * sizeof *values);
    for (int i = 0; i < CELLS; i++)
        values[i] = value;
    return values;
}

/* What comes out of all that is `value`; the stub gives four times the mean. */
static bool run(struct session *session, float value, struct run_control *control, float *out,
                struct error *err)
{
    AUTO(mem_free) float *values = input_of(value);
    struct tensor input = {TENSOR_F32, 4, {1, 3, SIDE, SIDE}, values};
    struct tensor result AUTO(tensor_dispose) = {0};
    const struct session_run request = {.inputs = &input,
                                        .input_count = 1,
                                        .wanted = (const int[]){0},
                                        .out = &result,
                                        .out_count = 1,
                                        .control = control};
    if (!session_run(session, &request, err))
        return false;
    assert_int_equal(tensor_count(result.rank, result.dims), SIDE * SIDE);
    *out = ((const float *)result.data)[SIDE * SIDE - 1];
    return true;
}

static void assert_serves(struct fixture *fixture)
{
    struct error err;
    float out = 0;
    assert_ok(run(fixture->slow, at_once, NULL, &out, &err), &err);
    assert_float_equal(out, 4 * at_once, 1e-5);
}

static void the_process_tells_of_the_model_what_this_one_would(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    int count, here_count;
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    assert_ok(runtime, &err);
    const struct session_options options = {.threads = 1};
    AUTO(session_close)
    struct session *here = session_open(runtime, STUBS "sam2_decoder.onnx", &options, &err);
    AUTO(session_close)
    struct session *there = session_open(fixture->apart, STUBS "sam2_decoder.onnx", &options, &err);
    assert_ok(here && there, &err);
    const struct tensor_info *a = session_inputs(here, &here_count);
    const struct tensor_info *b = session_inputs(there, &count);
    assert_int_equal(count, here_count);
    for (int i = 0; i < count; i++) {
        assert_string_equal(b[i].name, a[i].name);
        assert_int_equal(b[i].type, a[i].type);
        assert_memory_equal(b[i].dims, a[i].dims, sizeof *a[i].dims * (size_t)a[i].rank);
    }
    assert_string_equal(session_device(there), "cpu");
    assert_null(session_fallback(there));
    assert_string_equal(runtime_version(fixture->apart), runtime_version(runtime));
    assert_int_not_equal(runtime_state(fixture->apart).pid, getpid());
}

static void a_model_that_cannot_be_opened_is_said_as_it_would_be_here(void **state)
{
    struct fixture *fixture = *state;
    struct error err, here_err;
    AUTO(runtime_close) struct runtime *runtime = runtime_open(NULL, &err);
    const struct session_options options = {.threads = 1};
    assert_null(session_open(runtime, STUBS "make_stubs.py", &options, &here_err));
    assert_null(session_open(fixture->apart, STUBS "make_stubs.py", &options, &err));
    assert_error(&err, here_err.kind, here_err.text);
    assert_serves(fixture);
}

struct runner {
    struct fixture *fixture;
    struct run_control *control;
    float value, out;
    struct error err;
    bool done;
    pthread_t thread;
};

static void *run_it(void *context)
{
    struct runner *runner = context;
    runner->done =
        run(runner->fixture->slow, runner->value, runner->control, &runner->out, &runner->err);
    return NULL;
}

/* It has begun when the process has used the processor for some time. */
static void await_busy(pid_t pid)
{
    char path[64], line[512];
    unsigned long user = 0, first = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (bool started = false;; started = true) {
        FILE *file = fopen(path, "re");
        if (!file || !fgets(line, sizeof line, file))
            return;
        fclose(file);
        if (sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu",
                   &user) != 1)
            return;
        first = started ? first : user;
        if (user > first + 3)
            return;
        sched_yield();
    }
}

static void a_run_is_cancelled_in_the_other_process(void **state)
{
    struct fixture *fixture = *state;
    AUTO(run_control_free) struct run_control *control = run_control_new();
    struct runner runner = {.fixture = fixture, .control = control, .value = for_ever};
    pid_t pid = (pid_t)runtime_state(fixture->apart).pid;
    pthread_create(&runner.thread, NULL, run_it, &runner);
    await_busy(pid);
    run_control_cancel(control);
    pthread_join(runner.thread, NULL);
    assert_false(runner.done);
    assert_int_equal(runner.err.kind, ERROR_CANCELLED);
    assert_int_equal(runtime_state(fixture->apart).pid, pid);
    assert_serves(fixture);
}

static void what_ran_when_the_process_was_killed_is_run_again(void **state)
{
    struct fixture *fixture = *state;
    struct runner runners[4];
    pid_t pid = (pid_t)runtime_state(fixture->apart).pid;
    for (int i = 0; i < 4; i++) {
        runners[i] = (struct runner){.fixture = fixture, .value = i ? at_once : half_a_second};
        pthread_create(&runners[i].thread, NULL, run_it, &runners[i]);
    }
    await_busy(pid);
    kill(pid, SIGKILL);
    for (int i = 0; i < 4; i++) {
        pthread_join(runners[i].thread, NULL);
        assert_ok(runners[i].done, &runners[i].err);
        assert_float_equal(runners[i].out, 4 * runners[i].value, 1e-5);
    }
    assert_int_equal(runtime_state(fixture->apart).deaths, 1);
    assert_int_not_equal(runtime_state(fixture->apart).pid, pid);
}

static void what_ends_the_process_each_time_is_refused_and_the_next_is_served(void **state)
{
    struct fixture *fixture = *state;
    struct runner runner = {.fixture = fixture, .value = for_ever};
    pthread_create(&runner.thread, NULL, run_it, &runner);
    for (uint64_t deaths = 0; deaths < 3;) {
        struct runtime_state now = runtime_state(fixture->apart);
        if (now.deaths != deaths || now.pid == 0) {
            sched_yield();
            continue;
        }
        await_busy((pid_t)now.pid);
        kill((pid_t)now.pid, SIGKILL);
        while (runtime_state(fixture->apart).deaths == deaths)
            sched_yield();
        deaths++;
    }
    pthread_join(runner.thread, NULL);
    assert_false(runner.done);
    assert_int_equal(runner.err.kind, ERROR_INVALID);
    assert_string_equal(runner.err.code, "inference_died");
    assert_serves(fixture);
}

/* It does not stop when it is told to, and its process has to be ended: whoever ran beside it runs
 * again beside others, who need not wait for that to end. */
static void what_ran_beside_one_that_had_to_be_ended_goes_on_beside_others(void **state)
{
    struct fixture *fixture = *state;
    AUTO(run_control_free) struct run_control *control = run_control_new();
    AUTO(run_control_free) struct run_control *beside_control = run_control_new();
    struct runner hangs = {.fixture = fixture, .control = control, .value = for_ever};
    struct runner beside = {.fixture = fixture, .control = beside_control, .value = for_ever};
    pid_t pid = (pid_t)runtime_state(fixture->apart).pid;
    pthread_create(&hangs.thread, NULL, run_it, &hangs);
    await_busy(pid);
    pthread_create(&beside.thread, NULL, run_it, &beside);
    await_busy(pid);
    kill(pid, SIGSTOP);
    run_control_cancel(control);
    pthread_join(hangs.thread, NULL);
    assert_int_equal(hangs.err.kind, ERROR_CANCELLED);
    pid_t next;
    while ((next = (pid_t)runtime_state(fixture->apart).pid) == 0 || next == pid)
        sched_yield();
    await_busy(next); /* it runs again */
    assert_serves(fixture);
    run_control_cancel(beside_control);
    pthread_join(beside.thread, NULL);
    assert_int_equal(beside.err.kind, ERROR_CANCELLED);
    assert_int_equal(runtime_state(fixture->apart).deaths, 1);
}

/* Somebody killed the process: what it ran runs again, alone. */
static void who_waits_for_one_that_runs_alone_may_leave(void **state)
{
    struct fixture *fixture = *state;
    AUTO(run_control_free) struct run_control *control = run_control_new();
    AUTO(run_control_free) struct run_control *waits_control = run_control_new();
    struct runner alone = {.fixture = fixture, .control = control, .value = for_ever};
    struct runner waits = {.fixture = fixture, .control = waits_control, .value = at_once};
    pid_t pid = (pid_t)runtime_state(fixture->apart).pid, next;
    pthread_create(&alone.thread, NULL, run_it, &alone);
    await_busy(pid);
    kill(pid, SIGKILL);
    while ((next = (pid_t)runtime_state(fixture->apart).pid) == 0 || next == pid)
        sched_yield();
    await_busy(next);
    pthread_create(&waits.thread, NULL, run_it, &waits);
    run_control_cancel(waits_control);
    pthread_join(waits.thread, NULL);
    assert_false(waits.done);
    assert_int_equal(waits.err.kind, ERROR_CANCELLED);
    run_control_cancel(control);
    pthread_join(alone.thread, NULL);
    assert_int_equal(alone.err.kind, ERROR_CANCELLED);
    assert_serves(fixture);
}

static void a_process_that_died_while_idle_costs_nobody_anything(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 3; i++) {
        pid_t pid = (pid_t)runtime_state(fixture->apart).pid;
        siginfo_t info;
        kill(pid, SIGKILL);
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
        assert_serves(fixture);
    }
    assert_int_equal(runtime_state(fixture->apart).deaths, 3);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct error err;
    assert_null(runtime_open_apart("/nonexistent/vmad-infer", NULL, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
}

static void a_library_that_is_not_there_is_said(void **state)
{
    (void)state;
    struct error err;
    AUTO(runtime_close)
    struct runtime *runtime = runtime_open_apart(NULL, "/nonexistent/libonnxruntime.so", &err);
    assert_ok(runtime, &err);
    const struct session_options options = {.threads = 1};
    assert_null(session_open(runtime, STUBS "birefnet.onnx", &options, &err));
    assert_int_equal(err.kind, ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "load ONNX Runtime: /nonexistent/libonnxruntime.so"));
}

static void a_tensor_that_is_not_within_its_memory_is_found(void **state)
{
    (void)state;
    size_t bytes;
    const struct wire_tensor fine = {TENSOR_F32, 2, {8, 16}, 64};
    assert_true(wire_tensor_check(&fine, 64 + 512, &bytes));
    assert_int_equal(bytes, 512);
    assert_false(wire_tensor_check(&fine, 64 + 511, &bytes));
    struct wire_tensor wrong[] = {fine, fine, fine, fine, fine, fine, fine};
    wrong[0].type = 77;
    wrong[1].rank = TENSOR_RANK + 1;
    wrong[2].rank = -1;
    wrong[3].place = 1;
    wrong[4].place = UINT64_MAX - 63;
    wrong[5].dims[0] = -8;
    wrong[6].dims[1] = INT64_MAX / 2;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(wire_tensor_check(&wrong[i], 1 << 20, &bytes) && bytes > 0);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(the_process_tells_of_the_model_what_this_one_would),
        HERE(a_model_that_cannot_be_opened_is_said_as_it_would_be_here),
        HERE(a_run_is_cancelled_in_the_other_process),
        HERE(what_ran_when_the_process_was_killed_is_run_again),
        HERE(what_ends_the_process_each_time_is_refused_and_the_next_is_served),
        HERE(what_ran_beside_one_that_had_to_be_ended_goes_on_beside_others),
        HERE(who_waits_for_one_that_runs_alone_may_leave),
        HERE(a_process_that_died_while_idle_costs_nobody_anything),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error),
        cmocka_unit_test(a_library_that_is_not_there_is_said),
        cmocka_unit_test(a_tensor_that_is_not_within_its_memory_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
