/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "carry/bridge.h"
#include "io/child.h"
#include "io/loop.h"
#include "procs/exec.h"
#include "procs/names.h"
#include "sys/fds.h"
#include "sys/pty.h"
#include "sys/spawn.h"
#include "wire/message.h"
#include "wire/mux.h"

enum { MAX_ARGUMENTS = 4096, MAX_RUNS = 512, POLITE_MS = 3000 };

struct run {
    struct exec_server *server;
    struct run *next;
    char token[EXEC_TOKEN_SIZE + 1];
    struct jv *request;
    struct channel *control, *io, *err; /* io and err until they are bridged */
    struct bridge *io_bridge, *err_bridge;
    struct message_reader reader;
    struct child *child;
    struct timer *kill;
    int terminal; /* our end, or -1 */
    bool wants_terminal, started;
};

struct exec_server {
    struct loop *loop;
    struct mux *mux;
    const char *folder;
    unsigned long files;
    struct run *runs;
    void (*stopped)(void *context);
    void *context;
};

static void run_free(struct run *run)
{
    struct run **at = &run->server->runs;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    struct exec_server *server = run->server;
    bridge_free(run->io_bridge, NULL);
    bridge_free(run->err_bridge, NULL);
    struct channel *left[] = {run->control, run->io, run->err};
    for (int i = 0; i < 3; i++)
        if (left[i])
            channel_reset(left[i], NULL);
    child_free(run->child);
    timer_free(run->kill);
    message_reader_dispose(&run->reader);
    jv_free(run->request);
    free(run);
    if (server->stopped && !server->runs)
        server->stopped(server->context);
}

/* Once nobody asks any more. */
static void run_end(struct run *run)
{
    if (!run->child || !child_running(run->child)) {
        run_free(run);
        return;
    }
    if (!timer_active(run->kill)) {
        child_signal(run->child, SIGHUP);
        child_signal(run->child, SIGTERM);
        child_signal(run->child, SIGCONT);
        timer_start(run->kill, POLITE_MS);
    }
}

static void on_kill(void *context)
{
    struct run *run = context;
    child_signal(run->child, SIGKILL);
}

/* how u8 (1: by a signal) | code u8 | the signal's name */
static size_t exited_encode(int status, uint8_t out[EXEC_MESSAGE_MAX])
{
    bool signalled = WIFSIGNALED(status);
    const char *name = signalled ? signal_name(WTERMSIG(status)) : "";
    if (!name)
        name = "KILL";
    out[0] = signalled;
    out[1] = (uint8_t)(signalled ? 0 : WEXITSTATUS(status));
    memcpy(out + 2, name, strlen(name));
    return 2 + strlen(name);
}

static void on_exited(void *context, int status)
{
    struct run *run = context;
    uint8_t payload[EXEC_MESSAGE_MAX];
    if (!run->control || run->server->stopped) { /* nobody is there to hear it */
        run_free(run);
        return;
    }
    message_write(run->control, EXEC_EXITED,
                  (struct bytes){payload, exited_encode(status, payload)});
    channel_end(run->control);
    if (run->terminal >= 0 && run->io_bridge)
        bridge_finish(run->io_bridge); /* a background job may hold the terminal for ever */
}

static void on_io_done(void *context, const struct error *reason)
{
    (void)reason;
    ((struct run *)context)->io_bridge = NULL;
}

static void on_err_done(void *context, const struct error *reason)
{
    (void)reason;
    ((struct run *)context)->err_bridge = NULL;
}

static char *folder_of(const char *folder, const char *fallback)
{
    const char *home = getenv("HOME");
    if (!folder || !*folder)
        return xstrdup(fallback);
    if (folder[0] == '~' && (folder[1] == '/' || !folder[1]) && home)
        return xasprintf("%s%s", home, folder + 1);
    return xstrdup(folder);
}

struct lists {
    const char **arguments, **environment;
    size_t arguments_count, environment_count;
    char *folder, *login, *shell;
};

static void lists_dispose_auto(struct lists *lists)
{
    for (size_t i = 0; i < lists->environment_count; i++)
        free((void *)(uintptr_t)lists->environment[i]);
    free(lists->arguments);
    free(lists->environment);
    free(lists->folder);
    free(lists->login);
    free(lists->shell);
}

static bool add_variable(void *context, const char *key, const struct jv *value)
{
    struct lists *lists = context;
    lists->environment[lists->environment_count++] = xasprintf("%s=%s", key, jv_as_text(value, ""));
    return true;
}

static bool lists_read(const struct run *run, struct lists *lists, struct error *err)
{
    const struct jv *argv = jv_get(run->request, "argv");
    const struct jv *env = jv_get(run->request, "env");
    const struct jv *tty = jv_get(run->request, "tty");
    size_t count = jv_size(argv);
    if (count > MAX_ARGUMENTS || jv_size(env) > MAX_ARGUMENTS)
        return error_set(err, ERROR_LIMIT, "more than %d arguments", MAX_ARGUMENTS);
    lists->folder = folder_of(jv_get_text(run->request, "folder", NULL), run->server->folder);
    lists->environment = xcalloc(jv_size(env) + 2, sizeof(char *));
    jv_each(env, add_variable, lists);
    if (tty)
        lists->environment[lists->environment_count++] =
            xasprintf("TERM=%s", jv_get_text(tty, "term", "xterm"));
    lists->arguments = xcalloc(count + 3, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        lists->arguments[i] = jv_as_text(jv_at(argv, i), "");
    if (count == 0) {
        const char *shell = getenv("SHELL");
        lists->shell = xstrdup(shell && *shell ? shell : "/bin/sh");
        lists->arguments[0] = lists->shell;
        lists->arguments[1] = "-l";
    }
    return true;
}

static bool start_on_terminal(struct run *run, struct spawn *spawn, struct error *err)
{
    const struct jv *tty = jv_get(run->request, "tty");
    struct pty_size size = {(uint16_t)jv_get_int(tty, "rows", 24),
                            (uint16_t)jv_get_int(tty, "columns", 80)};
    int ours = -1;
    AUTO(fd_close) int program = -1;
    if (!pty_open(size, &ours, &program, err))
        return false;
    spawn->terminal = true;
    for (int i = 0; i < 3; i++)
        spawn->fds[i] = program;
    run->child = child_start(run->server->loop, spawn, on_exited, run, err);
    if (!run->child) {
        close(ours);
        return false;
    }
    run->terminal = ours;
    struct bridge_plan plan = {
        .kind = BRIDGE_PIPES, .in_fd = ours, .out_fd = ours, .ends_both = true};
    run->io_bridge = bridge_new(run->server->loop, run->io, &plan, on_io_done, run);
    run->io = NULL;
    return true;
}

static bool start_on_pipes(struct run *run, struct spawn *spawn, struct error *err)
{
    AUTO(fd_close) int in_read = -1, in_write = -1, out_read = -1, out_write = -1, err_read = -1,
                       err_write = -1;
    int *pairs[3][2] = {{&in_read, &in_write}, {&out_read, &out_write}, {&err_read, &err_write}};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (fds_pipe(ends, FDS_BLOCKING) != 0)
            return error_os(err, errno, "make pipes");
        *pairs[i][0] = ends[0];
        *pairs[i][1] = ends[1];
    }
    spawn->own_session = true;
    spawn->fds[0] = in_read;
    spawn->fds[1] = out_write;
    spawn->fds[2] = err_write;
    run->child = child_start(run->server->loop, spawn, on_exited, run, err);
    if (!run->child)
        return false;
    struct bridge_plan io = {
        .kind = BRIDGE_PIPES, .in_fd = fd_take(&out_read), .out_fd = fd_take(&in_write)};
    run->io_bridge = bridge_new(run->server->loop, run->io, &io, on_io_done, run);
    struct bridge_plan errors = {.kind = BRIDGE_PIPES, .in_fd = fd_take(&err_read), .out_fd = -1};
    run->err_bridge = bridge_new(run->server->loop, run->err, &errors, on_err_done, run);
    run->io = run->err = NULL;
    return true;
}

static bool run_start(struct run *run, struct error *err)
{
    AUTO(lists_dispose) struct lists lists = {0};
    run->started = true;
    if (!lists_read(run, &lists, err))
        return false;
    struct spawn spawn = {
        .arguments = lists.arguments,
        .environment = lists.environment,
        .folder = lists.folder,
        .files = run->server->files,
    };
    return run->wants_terminal ? start_on_terminal(run, &spawn, err)
                               : start_on_pipes(run, &spawn, err);
}

static bool on_message(void *context, const struct message *message, struct error *err)
{
    struct run *run = context;
    if (message->type == EXEC_SIZE && message->payload.size == 4) {
        struct pty_size size = {read_u16(message->payload.data),
                                read_u16(message->payload.data + 2)};
        if (run->terminal >= 0 && run->io_bridge)
            pty_resize(run->terminal, size);
        return true;
    }
    if (message->type == EXEC_SIGNAL) {
        char name[16] = {0};
        if (message->payload.size < sizeof name)
            memcpy(name, message->payload.data, message->payload.size);
        int number = signal_number(name);
        if (number && run->child)
            child_signal(run->child, number);
        return true;
    }
    if (message->type == EXEC_DEAF && message->payload.size == 1) {
        bool output = message->payload.data[0] == EXEC_OUTPUT;
        struct bridge *bridge = output ? run->io_bridge : run->err_bridge;
        if (bridge && run->terminal < 0)
            bridge_leave_input(bridge);
        return true;
    }
    return error_set(err, ERROR_INVALID, "message %u to a program", message->type);
}

static void control_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct run *run = context;
    struct error err;
    channel_consumed(channel, bytes.size);
    if (!message_reader_add(&run->reader, bytes, on_message, run, &err)) {
        run->control = NULL;
        channel_reset(channel, &err);
        run_end(run);
    }
}

static void control_end(void *context, struct channel *channel)
{
    (void)context;
    (void)channel;
}

static void control_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct run *run = context;
    (void)channel;
    (void)reason;
    run->control = NULL;
    run_end(run);
}

static const struct channel_events control_events = {control_data, control_end, NULL,
                                                     control_closed};

static void early_closed(void *context, struct channel *channel, const struct error *reason)
{
    struct run *run = context;
    (void)reason;
    if (run->io == channel)
        run->io = NULL;
    if (run->err == channel)
        run->err = NULL;
}

static unsigned count_runs(const struct exec_server *server)
{
    unsigned count = 0;
    for (const struct run *run = server->runs; run; run = run->next)
        count++;
    return count;
}

static const struct channel_events early_events = {.closed = early_closed};

static bool open_control(void *context, struct channel *channel, struct bytes request,
                         struct error *err)
{
    struct exec_server *server = context;
    AUTO(jv_free) struct jv *value = jv_parse(request, err);
    const char *token = jv_get_text(value, "token", "");
    if (!value)
        return false;
    if (strlen(token) != EXEC_TOKEN_SIZE)
        return error_set(err, ERROR_INVALID, "a run without a token");
    if (server->stopped || count_runs(server) >= MAX_RUNS)
        return error_set(err, ERROR_LIMIT, "%d programs run already", MAX_RUNS);
    struct run *run = xcalloc(1, sizeof *run);
    run->server = server;
    memcpy(run->token, token, EXEC_TOKEN_SIZE);
    run->wants_terminal = jv_get(value, "tty") != NULL;
    run->request = TAKE(value);
    run->control = channel;
    run->terminal = -1;
    run->reader = MESSAGE_READER(EXEC_MESSAGE_MAX);
    run->kill = timer_new(server->loop, on_kill, run);
    run->next = server->runs;
    server->runs = run;
    channel_bind(channel, &control_events, run);
    return true;
}

static struct run *run_find(struct exec_server *server, struct bytes token)
{
    for (struct run *run = server->runs; run; run = run->next)
        if (!run->started && bytes_equal(bytes_of(run->token), token))
            return run;
    return NULL;
}

static bool open_stream(struct exec_server *server, struct channel *channel, struct bytes token,
                        bool errors, struct error *err)
{
    struct run *run = run_find(server, token);
    if (!run || !run->control || (errors ? run->err : run->io) || (errors && run->wants_terminal))
        return error_set(err, ERROR_NOT_FOUND, "no program waits for this stream");
    *(errors ? &run->err : &run->io) = channel;
    channel_bind(channel, &early_events, run);
    if (!run->io || (!run->err && !run->wants_terminal))
        return true;
    struct error reason;
    if (run_start(run, &reason)) {
        message_write(run->control, EXEC_STARTED, (struct bytes){0});
    } else {
        struct channel *control = run->control;
        run->control = NULL;
        channel_reset(control, &reason);
        run_end(run); /* resets the streams */
    }
    return true;
}

static bool open_io(void *context, struct channel *channel, struct bytes request, struct error *err)
{
    return open_stream(context, channel, request, false, err);
}

static bool open_err(void *context, struct channel *channel, struct bytes request,
                     struct error *err)
{
    return open_stream(context, channel, request, true, err);
}

struct exec_server *exec_server_new(struct loop *loop, struct mux *mux, const char *folder,
                                    unsigned long files)
{
    struct exec_server *server = xcalloc(1, sizeof *server);
    server->loop = loop;
    server->mux = mux;
    server->folder = folder;
    server->files = files;
    mux_serve(mux, "exec", open_control, server);
    mux_serve(mux, "exec.io", open_io, server);
    mux_serve(mux, "exec.err", open_err, server);
    return server;
}

void exec_server_stop(struct exec_server *server, void (*done)(void *context), void *context)
{
    server->stopped = done;
    server->context = context;
    if (!server->runs) {
        done(context);
        return;
    }
    for (struct run *run = server->runs, *next; run; run = next) {
        next = run->next;
        run_end(run);
    }
}

void exec_server_free(struct exec_server *server)
{
    if (!server)
        return;
    server->stopped = NULL;
    while (server->runs) {
        struct run *run = server->runs;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): each takes itself off the list */
        if (run->child)
            child_signal(run->child, SIGKILL);
        run_free(run);
    }
    free(server);
}

void exec_server_tell(const struct exec_server *server, struct jv *out)
{
    for (const struct run *run = server->runs; run; run = run->next) {
        AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
        const struct jv *arguments = jv_get(run->request, "argv");
        bool fits = run->child && child_running(run->child);
        if (!fits)
            continue;
        for (size_t i = 0; i < jv_size(arguments) && fits; i++)
            fits =
                buf_printf(&text, NULL, "%s%s", i ? " " : "", jv_as_text(jv_at(arguments, i), ""));
        jv_push_text(out, text.size ? buf_string(&text) : "a shell");
    }
}
