/* SPDX-License-Identifier: Apache-2.0 */
/* vma dev, vma init. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/dev.h"
#include "cli/hubs.h"
#include "cli/notice.h"
#include "cli/project.h"
#include "config/config.h"
#include "io/loop.h"
#include "sys/fds.h"

struct options {
    const char *remote;
    struct option_list forward, reverse;
    bool detach, no_sync, quiet;
};

struct running {
    struct loop *loop;
    struct dev *dev;
    struct error *err;
    int ready; /* where a parent waits to hear, or -1 */
    bool failed;
};

static void on_up(void *context)
{
    struct running *running = context;
    if (running->ready >= 0) {
        ssize_t told = write(running->ready, "\n", 1);
        (void)told;
        close(fd_take(&running->ready));
    }
}

static void on_ended(void *context, const struct error *reason)
{
    struct running *running = context;
    if (reason && !running->failed) {
        running->failed = true;
        *running->err = *reason;
    }
    loop_stop(running->loop);
}

static const struct dev_events dev_events = {on_up, on_ended};

static void on_signal(void *context, int number)
{
    struct running *running = context;
    notice_interrupted(number);
    dev_stop(running->dev);
}

static bool run(struct cli *cli, const struct dev_plan *plan, int ready, struct error *err)
{
    struct running running = {.err = err, .ready = ready};
    signal(SIGPIPE, SIG_IGN);
    AUTO(loop_free) struct loop *loop = loop_new(err);
    running.loop = loop;
    if (!loop)
        return false;
    struct signals *signals = signals_new(loop, on_signal, &running);
    signals_add(signals, SIGINT); /* before there is anything that could be left behind */
    signals_add(signals, SIGTERM);
    signals_add(signals, SIGHUP);
    running.dev = dev_new(cli, loop, plan, &dev_events, &running, err);
    bool began = running.dev != NULL;
    if (began)
        loop_run(loop);
    dev_free(running.dev);
    signals_free(signals);
    return began && !running.failed;
}

/* In the child: on to a log file, away from the terminal. */
static void detached(struct cli *cli, const struct dev_plan *plan, const char *log, int ready)
{
    struct error err;
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(1);
    bool done = run(cli, plan, ready, &err);
    if (!done) {
        ssize_t told = write(ready, err.text, strlen(err.text));
        (void)told;
    }
    _exit(done ? 0 : 1);
}

static bool detach(struct cli *cli, const struct dev_plan *plan, struct error *err)
{
    int ends[2];
    char word[300] = "";
    AUTO(mem_free) char *state = dirs_state("vma", cli->lookup, err);
    if (!state)
        return false;
    AUTO(mem_free) char *log = xasprintf("%s/dev.log", state);
    if (fds_pipe(ends, FDS_BLOCKING) != 0)
        return error_os(err, errno, "make a pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        detached(cli, plan, log, ends[1]);
    close(ends[1]);
    ssize_t got = pid < 0 ? 0 : read(ends[0], word, sizeof word - 1);
    close(ends[0]);
    if (got == 1 && word[0] == '\n') {
        if (!plan->quiet)
            printf("vma runs in the background (pid %ld; vma status, vma stop; log %s)\n",
                   (long)pid, log);
        return true;
    }
    return error_set(err, ERROR_UNAVAILABLE, "%s", got > 0 ? word : "it did not start");
}

static void list_append(struct config_list *list, const struct option_list *more)
{
    for (size_t i = 0; i < more->count; i++) {
        list->items = xreallocarray(list->items, list->count + 2, sizeof *list->items);
        list->items[list->count++] = xstrdup(more->items[i]);
        list->items[list->count] = NULL;
    }
}

/* Where the working folder stands in for a vma.yaml that is not there. */
static char *root_of(const struct project *project, struct error *err)
{
    char here[PATH_MAX];
    if (project_root(project))
        return xstrdup(project_root(project));
    if (!getcwd(here, sizeof here)) {
        error_os(err, errno, "working folder");
        return NULL;
    }
    return xstrdup(here);
}

static char *remote_of(const char *host, const char *root, const char *said)
{
    const char *name = strrchr(root, '/');
    if (said)
        return xstrdup(said);
    /* On this machine ~/name may be the very folder that we are in. */
    return xasprintf(strcmp(host, "local:") == 0 ? "~/vma-local/%s" : "~/%s",
                     name ? name + 1 : root);
}

static bool dev_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    struct cli *cli = context;
    const struct options *options = raw;
    AUTO(project_free) struct project *project = project_find(cli, err);
    if (!project)
        return false;
    const char *host = operands.count ? operands.items[0] : project_host(project);
    if (!host)
        return error_set(err, ERROR_INVALID, "which host? vma dev HOST, or vma init");
    AUTO(mem_free) char *root = root_of(project, err);
    if (!root)
        return false;
    AUTO(hub_free) struct hub *other = hub_find(cli, host);
    if (other && strcmp(other->root, root) == 0)
        return error_set(err, ERROR_CONFLICT, "vma runs here already (pid %d; vma stop ends it)",
                         other->pid);
    struct config *config = project_config_own(project);
    list_append(&config->forward, &options->forward);
    list_append(&config->reverse, &options->reverse);
    AUTO(mem_free)
    char *remote =
        remote_of(host, root, options->remote ? options->remote : project_remote(project));
    struct dev_plan plan = {
        .host = host,
        .root = root,
        .remote = remote,
        .config = config,
        .no_sync = options->no_sync,
        .quiet = options->quiet,
        .patient = !options->detach,
    };
    return options->detach ? detach(cli, &plan, err) : run(cli, &plan, -1, err);
}

static const struct option dev_rows[] = {
    OPTION_FLAG('d', "detach", detach, "go on in the background once it is up"),
    OPTION_TEXT('r', "remote", "DIR", remote, "the folder there [~/ and this folder's name]"),
    OPTION_LIST('f', "forward", "RULE", forward, "one more port from there, as in vma forward"),
    OPTION_LIST('R', "reverse", "RULE", reverse, "one more port from here"),
    OPTION_FLAG(0, "no-sync", no_sync, "no sync, only the link and the ports"),
    OPTION_FLAG('q', "quiet", quiet, "print nothing but errors"),
    OPTION_END,
};

const struct command command_dev = {
    .name = "dev",
    .operands = "[HOST]",
    .summary = "Keep this folder, its ports and its commands on HOST, until interrupted",
    .details = "Reads vma.yaml when there is one; without it, HOST alone is enough. local: tries "
               "it out on this machine. While it runs, vma exec, shell, forward and sync use its "
               "link. Everything goes on by itself when the connection comes back.",
    .options = dev_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = dev_run,
};

/* --- init ------------------------------------------------------------------------------------ */

static bool init_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(CONFIG_SIZE_MAX);
    (void)context;
    (void)raw;
    if (access("vma.yaml", F_OK) == 0)
        return error_set(err, ERROR_CONFLICT, "vma.yaml is there already");
    if (!config_example(operands.count ? operands.items[0] : NULL, &text, err))
        return false;
    AUTO(config_free) struct config *check = config_parse(buf_bytes(&text), "vma.yaml", err);
    if (!check || !file_write("vma.yaml", buf_bytes(&text), err))
        return false;
    printf("wrote vma.yaml; look through it, then: vma dev\n");
    return true;
}

static const struct option none[] = {OPTION_END};

const struct command command_init = {
    .name = "init",
    .operands = "[HOST]",
    .summary = "Write a vma.yaml with every setting explained",
    .options = none,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = init_run,
};
