/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/daemon.h"
#include "agent/sessions.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "sys/fdpass.h"

/* In the child: away from ssh and everything it holds open. */
static void become_daemon(const struct agent_plan *plan, const char *path, int *listener,
                          const char *log_path, int log_fd)
{
    struct error err;
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(log_fd >= 0 ? log_fd : null, 2) < 0)
        _exit(1);
    if (chdir("/") != 0)
        _exit(1);
    log_set(LOG_INFO, LOG_JSON, 2);
    if (!daemon_run(plan, path, listener, &err)) {
        log_error("agent.failed", LOG_ERROR(&err));
        _exit(1);
    }
    unlink(log_path); /* it ended well: nothing stays */
    _exit(0);
}

/* Bound before the fork, so that whoever comes next finds it. */
static bool daemon_make(const struct agent_plan *plan, const char *path, struct error *err)
{
    AUTO(fd_close) int listener = unix_listen(path, err);
    if (listener < 0)
        return false;
    AUTO(mem_free) char *log_path = xasprintf("%.*s.log", (int)(strlen(path) - 5), path);
    AUTO(fd_close) int log_fd =
        open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return error_os(err, errno, "start the session's process");
    if (pid > 0)
        return true;
    pid = fork(); /* twice: it is nobody's child */
    if (pid == 0)
        become_daemon(plan, path, &listener, log_path, log_fd);
    _exit(pid < 0);
}

static bool say(const char *text, struct error *err)
{
    return fd_write_all(1, bytes_of(text), err);
}

/* Waits until the daemon drops the connection: the streams are done with. */
static void wait_for_end(int connection)
{
    char byte;
    ssize_t got;
    do
        got = recv(connection, &byte, 1, 0);
    while (got > 0 || (got < 0 && errno == EINTR));
}

static bool session_check(const char *session, struct error *err)
{
    size_t digits = strspn(session, "0123456789abcdef");
    if (digits != SESSION_DIGITS || session[digits])
        return error_set(err, ERROR_INVALID, "a session is named by %d hexadecimal digits",
                         SESSION_DIGITS);
    return true;
}

bool agent_attach(const struct agent_plan *plan, struct error *err)
{
    if (!session_check(plan->session, err))
        return false;
    AUTO(mem_free) char *folder = dirs_lasting("vma", plan->lookup, err);
    if (!folder)
        return false;
    AUTO(mem_free) char *path = xasprintf("%s/%s.sock", folder, plan->session);
    AUTO(fd_close) int connection = unix_connect(path, err);
    bool fresh = connection < 0 && plan->fresh;
    if (fresh) {
        if (!daemon_make(plan, path, err))
            return false;
        connection = unix_connect(path, err);
    }
    if (connection < 0) {
        if (!plan->fresh && (err->kind == ERROR_NOT_FOUND || err->os == ECONNREFUSED))
            return say("\nVMA-GONE\n", err);
        return false;
    }
    int fds[2] = {0, 1};
    struct error gone;
    if (!say(fresh ? "\nVMA-READY new\n" : "\nVMA-READY resumed\n", err))
        return false;
    if (!fdpass_send(connection, bytes_of("streams"), fds, 2, &gone))
        return true; /* it ends just now; the streams carry frames already, so no words on them */
    close(0);        /* only the daemon's copies keep the streams open now */
    close(1);
    wait_for_end(connection);
    return true;
}
