/* SPDX-License-Identifier: Apache-2.0 */
/* vma exec, vma shell: a program there, as if it ran here. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/escape.h"
#include "cli/notice.h"
#include "cli/session.h"
#include "io/loop.h"
#include "procs/exec.h"
#include "sys/fds.h"
#include "sys/pty.h"

struct options {
    const char *host;
    const char *folder;
    struct option_list environment;
    bool terminal, no_terminal, alone;
};

/* How long a program may go on after it was told to end. */
enum {
    GRACE_MS = 10 * 1000,
    NOT_RUN_STATUS = 126,
    NOT_FOUND_STATUS = 127,
    LEFT_STATUS = 255,
    REDRAW_MS = 100
};

/* What a program that was left in its midst may have set and shells do not: back from the other
 * screen, the cursor seen, no mouse, nothing around what is pasted, keys and colours as usual. */
#define TERMINAL_CALM                                                                              \
    "\0337\033[?1049l\0337\033[r\0338\033[?25h\033[?1l\033>\033[m"                                 \
    "\033[?1000;1002;1003;1004;1006;2004l"

struct running {
    struct loop *loop;
    struct session *session;
    struct exec *exec;
    struct signals *signals;
    struct timer *grace, *redraw;
    struct pty_saved *saved;
    struct escape escape;
    struct later *leave;
    bool terminal, started, finished, whole; /* whole: the program's end is known */
    struct exec_result result;
    struct error *err; /* set when it failed */
    bool failed;
};

static void closed(void *context)
{
    struct running *running = context;
    loop_stop(running->loop);
}

static void terminal_back(struct running *running)
{
    if (!running->saved)
        return;
    bool calm = running->whole || fd_write_all(1, bytes_of(TERMINAL_CALM), NULL);
    (void)calm; /* gone: then it needs none */
    pty_restore(TAKE(running->saved));
}

static void end(struct running *running)
{
    if (running->finished)
        return;
    running->finished = true;
    terminal_back(running);
    session_close(running->session, closed, running);
}

static void on_done(void *context, const struct exec_result *result, const struct error *reason)
{
    struct running *running = context;
    if (reason && !running->failed) {
        running->failed = true;
        *running->err = *reason;
        if (text_starts(reason->text, "enter folder") && session_folder(running->session))
            error_set(running->err, reason->kind, "%s; vma dev, or vma sync, brings it there",
                      reason->text);
    }
    running->whole = result != NULL;
    if (result)
        running->result = *result;
    end(running);
}

static void on_lost(void *context, const struct error *reason)
{
    struct running *running = context;
    if (!running->failed && !running->finished) {
        running->failed = true;
        *running->err = *reason;
    }
    end(running);
}

static void size_tell(void *context)
{
    struct running *running = context;
    struct pty_size size;
    if (running->exec && pty_size_of(0, &size))
        exec_resize(running->exec, size.rows, size.columns);
}

/* Programs draw anew when their terminal changes its size: it does, and changes back. */
static void on_unsaid(void *context)
{
    struct running *running = context;
    struct pty_size size;
    if (!running->saved || !running->exec || !pty_size_of(0, &size) || size.columns < 2)
        return;
    exec_resize(running->exec, size.rows, size.columns - 1);
    timer_start(running->redraw, REDRAW_MS);
}

static const struct session_events session_events = {.lost = on_lost, .unsaid = on_unsaid};

/* It does not end by itself, or nobody takes its output: the other side ends it. */
static void on_patience_over(void *context)
{
    struct running *running = context;
    exec_free(TAKE(running->exec));
    end(running);
}

/* As ssh's: the program is hung up, and its end not waited for. */
static void on_leave(void *context)
{
    struct running *running = context;
    if (running->finished)
        return;
    running->result = (struct exec_result){.code = LEFT_STATUS};
    exec_free(TAKE(running->exec));
    terminal_back(running);
    fprintf(stderr, "\nvma: left %s\n", session_host(running->session));
    end(running);
}

static size_t on_typed(void *context, const uint8_t *in, size_t size, uint8_t *out)
{
    struct running *running = context;
    enum escape_found found;
    size_t sent = escape_read(&running->escape, in, size, out, &found);
    if (found == ESCAPE_HELP) {
        bool told = fd_write_all(2, bytes_of("\r\n" ESCAPE_HELP_TEXT), NULL);
        (void)told;
    }
    if (found == ESCAPE_LEAVE)
        later_ask(running->leave);
    return sent;
}

static void on_started(void *context)
{
    struct running *running = context;
    struct pty_size size;
    running->started = true;
    if (!running->terminal)
        return;
    if (pty_size_of(0, &size)) /* it may have changed meanwhile */
        exec_resize(running->exec, size.rows, size.columns);
    running->saved = pty_raw(0);
    if (running->saved)
        session_hint(running->session, "~. ends it");
}

static void on_signal(void *context, int number)
{
    struct running *running = context;
    if (running->finished && number != SIGWINCH) /* not to wait for the goodbye to be heard */
        session_close(running->session, closed, running);
    if (running->finished || !running->exec)
        return;
    if (number == SIGWINCH) {
        struct pty_size size;
        if (running->terminal && pty_size_of(0, &size))
            exec_resize(running->exec, size.rows, size.columns);
        return;
    }
    bool early = !running->started; /* it is not waited for, whatever it is that takes so long */
    if (early && (number == SIGUSR1 || number == SIGUSR2))
        return;
    bool ending = number == SIGTERM || number == SIGHUP || early;
    if (ending)
        running->result = (struct exec_result){.signalled = true, .code = number};
    if (early)
        notice_interrupted(number);
    if (early || (ending && timer_active(running->grace))) {
        on_patience_over(running);
        return;
    }
    if (ending)
        timer_start(running->grace, GRACE_MS);
    exec_signal(running->exec, number);
}

/* A descriptor that we may make non-blocking without doing so to the shell's. */
static int own_descriptor(int fd, int how)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))) {
        int own = fds_reopen(fd, how);
        if (own >= 0)
            return own;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void start(struct running *running, const struct options *options,
                  const char *const *arguments, const char *term)
{
    struct pty_size size = {24, 80};
    const char *environment[OPTION_LIST_MAX + 1] = {0};
    for (size_t i = 0; i < options->environment.count; i++)
        environment[i] = options->environment.items[i];
    pty_size_of(0, &size);
    const char *folder = options->folder;
    struct exec_plan plan = {
        .arguments = arguments,
        .folder = folder ? folder : session_folder(running->session),
        .environment = environment,
        .terminal = running->terminal,
        .term = term,
        .rows = size.rows,
        .columns = size.columns,
        .in_fd = own_descriptor(0, O_RDONLY),
        .out_fd = own_descriptor(1, O_WRONLY),
        .err_fd = own_descriptor(2, O_WRONLY),
        .started = on_started,
        .filter = running->terminal && isatty(0) ? on_typed : NULL,
    };
    running->exec =
        exec_start(running->loop, session_mux(running->session), &plan, on_done, running);
}

static void signals_take(struct running *running)
{
    static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2};
    running->redraw = timer_new(running->loop, size_tell, running);
    running->grace = timer_new(running->loop, on_patience_over, running);
    running->leave = later_new(running->loop, on_leave, running);
    running->signals = signals_new(running->loop, on_signal, running);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        signals_add(running->signals, passed[i]);
}

static bool run(struct cli *cli, const struct options *options, const char *const *arguments,
                struct error *err)
{
    struct running running = {.err = err};
    struct session_plan plan = {.host = options->host, .alone = options->alone};
    running.loop = loop_new(err);
    if (!running.loop)
        return false;
    signal(SIGPIPE, SIG_IGN);
    running.terminal = options->terminal || (!options->no_terminal && isatty(0) && isatty(1));
    signals_take(&running);
    running.session = session_open(cli, running.loop, &plan, &session_events, &running, err);
    bool opened = running.session != NULL;
    if (opened) {
        start(&running, options, arguments, cli->lookup("TERM"));
        loop_run(running.loop);
    }
    exec_free(running.exec);
    session_free(running.session);
    signals_free(running.signals);
    timer_free(running.grace);
    timer_free(running.redraw);
    later_free(running.leave);
    pty_restore(running.saved);
    loop_free(running.loop);
    cli->exit_code = running.result.signalled ? 128 + running.result.code : running.result.code;
    if (opened && running.failed && text_starts(err->text, "start ")) { /* as shells have it */
        fprintf(stderr, "vma: %s\n", err->text);
        cli->exit_code = err->kind == ERROR_NOT_FOUND ? NOT_FOUND_STATUS : NOT_RUN_STATUS;
        return true;
    }
    int lost = running.result.lost; /* a reader that has left is no news: "| head" */
    if (opened && !running.failed && lost && lost != EPIPE)
        return error_os(err, lost, "write the output");
    return opened && !running.failed;
}

static bool exec_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    AUTO(mem_free) const char **arguments = xcalloc(operands.count + 1, sizeof *arguments);
    for (size_t i = 0; i < operands.count; i++)
        arguments[i] = operands.items[i];
    return run(context, raw, arguments, err);
}

static bool shell_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    static const char *const none[] = {NULL};
    (void)operands;
    return run(context, raw, none, err);
}

#define SHARED_ROWS                                                                                \
    OPTION_TEXT('H', "host", "HOST", host, "work on this host [the project's]",                    \
                .environment = "VMA_HOST"),                                                        \
        OPTION_TEXT('C', "folder", "DIR", folder, "start in this folder there"),                   \
        OPTION_LIST('e', "env", "NAME=VALUE", environment, "set a variable there"),                \
        OPTION_FLAG(0, "alone", alone, "use a link of its own even if vma dev runs")

#define ESCAPES                                                                                    \
    "these are, as in ssh, for vma, when typed after Enter or first of all: ~. leaves, also "      \
    "while "                                                                                       \
    "the host is away (what runs there is hung up, then or when the host is back); ~~ sends one "  \
    "tilde; ~? shows them."

static const struct option exec_rows[] = {
    SHARED_ROWS,
    OPTION_FLAG('t', "tty", terminal, "give it a terminal [when there is one here]"),
    OPTION_FLAG('T', "pipes", no_terminal, "give it pipes, no terminal"),
    OPTION_END,
};

static const struct option shell_rows[] = {SHARED_ROWS, OPTION_END};

const struct command command_exec = {
    .name = "exec",
    .operands = "[--] COMMAND [ARGUMENT…]",
    .summary = "Run a command there: its input, output, signals and exit status are here",
    .details = "The command is run as it is, without a shell in between; for pipes and patterns "
               "use sh -c '…'. It starts in the folder that belongs to the one you are in. "
               "With a terminal, " ESCAPES,
    .options = exec_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .min_operands = 1,
    .max_operands = 4096,
    .stop_at_operand = true,
    .run = exec_run,
};

const struct command command_shell = {
    .name = "shell",
    .summary = "Open your shell there; it survives a lost connection",
    .details = "All keys go to the shell, so " ESCAPES,
    .options = shell_rows,
    .defaults = &(const struct options){.terminal = true},
    .options_size = sizeof(struct options),
    .run = shell_run,
};
