/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/child.h"
#include "io/loop.h"
#include "sys/spawn.h"

struct ended {
    struct loop *loop;
    struct child *child;
    int status;
    unsigned calls, left;
    bool free_it;
};

static void on_exit_of(void *context, int status)
{
    struct ended *ended = context;
    ended->calls++;
    ended->status = status;
    assert_false(child_running(ended->child));
    assert_int_equal(child_pid(ended->child), 0);
    child_signal(ended->child, SIGKILL); /* nothing: its number may be another's by now */
    if (ended->free_it) {
        child_free(ended->child);
        ended->child = NULL;
    }
    loop_stop(ended->loop);
}

static struct child *start(struct ended *ended, const char *script)
{
    struct error err;
    struct spawn spawn = {.arguments = (const char *const[]){"/bin/sh", "-c", script, NULL},
                          .fds = {-1, -1, -1},
                          .own_group = true};
    ended->child = child_start(ended->loop, &spawn, on_exit_of, ended, &err);
    assert_ok(ended->child, &err);
    return ended->child;
}

static struct ended with_loop(void)
{
    struct error err;
    struct ended ended = {.loop = loop_new(&err)};
    assert_ok(ended.loop, &err);
    return ended;
}

static void its_end_is_told_once_with_its_status(void **state)
{
    struct ended ended = with_loop();
    start(&ended, "exit 7");
    loop_run(ended.loop);
    assert_int_equal(ended.calls, 1);
    assert_true(WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 7);
    child_free(ended.child);
    loop_free(ended.loop);
}

static void a_signal_reaches_its_group_and_is_told(void **state)
{
    struct ended ended = with_loop();
    start(&ended, "sleep 100 & wait");
    assert_true(child_running(ended.child));
    ended.free_it = true; /* in the callback */
    child_signal(ended.child, SIGTERM);
    loop_run(ended.loop);
    assert_int_equal(ended.calls, 1);
    assert_true(WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGTERM);
    loop_free(ended.loop);
}

static void the_loop_reaps_whom_nobody_waits_for(void **state)
{
    struct ended ended = with_loop();
    int pid = child_pid(start(&ended, "sleep 100"));
    child_free(ended.child);
    assert_int_equal(kill(-pid, SIGKILL), 0);
    start(&ended, "exit 0"); /* turns of the loop */
    for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++) {
        loop_run(ended.loop);
        child_free(ended.child);
        start(&ended, "exit 0");
    }
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    loop_run(ended.loop);
    child_free(ended.child);
    loop_free(ended.loop);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
    struct error err;
    struct ended ended = with_loop();
    struct spawn spawn = {.arguments = (const char *const[]){"/no/such/program", NULL},
                          .fds = {-1, -1, -1}};
    assert_null(child_start(ended.loop, &spawn, on_exit_of, &ended, &err));
    assert_int_equal(err.os, ENOENT);
    loop_free(ended.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_is_told_once_with_its_status),
        cmocka_unit_test(a_signal_reaches_its_group_and_is_told),
        cmocka_unit_test(the_loop_reaps_whom_nobody_waits_for),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
