/* SPDX-License-Identifier: Apache-2.0 */
#include "io/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/loop.h"
#include "sys/spawn.h"

struct child {
    struct loop *loop;
    struct signals *signals;
    struct later *check;
    child_exited *exited;
    void *context;
    pid_t pid; /* 0 once it has ended */
    bool group;
};

static void reap(void *context)
{
    struct child *child = context;
    int status;
    if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid)
        return;
    child->pid = 0;
    child->exited(child->context, status);
}

static void on_signal(void *context, int number)
{
    (void)number;
    reap(context);
}

struct child *child_start(struct loop *loop, const struct spawn *spawn, child_exited *exited,
                          void *context, struct error *err)
{
    struct child *child = xcalloc(1, sizeof *child);
    child->loop = loop;
    child->exited = exited;
    child->context = context;
    child->group = spawn->own_group || spawn->own_session || spawn->terminal;
    child->signals = signals_new(loop, on_signal, child);
    signals_add(child->signals, SIGCHLD);
    child->check = later_new(loop, reap, child);
    child->pid = spawn_start(spawn, err);
    if (child->pid < 0) {
        child->pid = 0;
        child_free(child);
        return NULL;
    }
    later_ask(child->check); /* it may have ended before the signal was watched */
    return child;
}

bool child_running(const struct child *child)
{
    return child->pid != 0;
}

int child_pid(const struct child *child)
{
    return (int)child->pid;
}

void child_signal(struct child *child, int number)
{
    if (child->pid != 0)
        kill(child->group ? -child->pid : child->pid, number);
}

void child_free(struct child *child)
{
    if (!child)
        return;
    if (child->pid != 0)
        loop_adopt(child->loop, child->pid);
    signals_free(child->signals);
    later_free(child->check);
    free(child);
}
