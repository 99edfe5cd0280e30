/* SPDX-License-Identifier: Apache-2.0 */
/* vma ssh-config, code, docker-context: the same host for other tools. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/sshconfig.h"
#include "config/config.h"
#include "link/ciphers.h"
#include "sys/fds.h"
#include "sys/spawn.h"

enum { FILE_MAX = 4 * 1024 * 1024, RULES_MAX = 128 };

struct options {
    const char *address, *user, *identity, *file, *name;
    int64_t port;
    struct option_list forward, reverse;
    bool write, dry_run;
};

struct rules {
    struct forward_rule items[RULES_MAX];
    size_t count;
};

static bool add_rules(struct rules *rules, char *const *items, size_t count, bool reverse,
                      struct error *err)
{
    for (size_t i = 0; i < count && rules->count < RULES_MAX; i++)
        if (!forward_rule_parse(items[i], reverse, &rules->items[rules->count++], err))
            return false;
    return true;
}

static bool rules_of(const struct project *project, const struct options *options,
                     struct rules *out, struct error *err)
{
    const struct config *config = project_config(project);
    out->count = 0;
    return add_rules(out, config->forward.items, config->forward.count, false, err) &&
           add_rules(out, config->reverse.items, config->reverse.count, true, err) &&
           add_rules(out, (char *const *)(uintptr_t)options->forward.items, options->forward.count,
                     false, err) &&
           add_rules(out, (char *const *)(uintptr_t)options->reverse.items, options->reverse.count,
                     true, err);
}

/* The host to set up, "user@" split off. */
struct target {
    char *host, *user;
};

static void target_dispose_auto(struct target *target)
{
    free(target->host);
    free(target->user);
}

static bool target_of(const struct project *project, struct operands operands, struct target *out,
                      struct error *err)
{
    const char *said = operands.count ? operands.items[0] : project_host(project);
    if (!said)
        return error_set(err, ERROR_INVALID, "which host? Name it, or write vma.yaml (vma init)");
    if (strcmp(said, "local:") == 0)
        return error_set(err, ERROR_INVALID, "local: needs no ssh");
    const char *at = strrchr(said, '@');
    out->user = at ? xstrndup(said, (size_t)(at - said)) : NULL;
    out->host = xstrdup(at ? at + 1 : said);
    return true;
}

/* The file to read and write; a link to a kept file stays one. From malloc. */
static char *path_of(const struct cli *cli, const struct options *options)
{
    AUTO(mem_free) char *home = dirs_home(cli->lookup);
    AUTO(mem_free)
    char *named = options->file ? xstrdup(options->file) : xasprintf("%s/.ssh/config", home);
    char *real = realpath(named, NULL);
    return real ? real : TAKE(named);
}

static bool write_file(struct cli *cli, const struct options *options, const char *host,
                       struct bytes block, struct error *err)
{
    AUTO(mem_free) char *home = dirs_home(cli->lookup);
    AUTO(mem_free) char *sockets = xasprintf("%s/.ssh/vma", home);
    AUTO(mem_free) char *path = path_of(cli, options);
    AUTO(buf_dispose) struct buf before = BUF(FILE_MAX);
    AUTO(buf_dispose) struct buf after = BUF(FILE_MAX + 64 * 1024);
    struct stat status;
    if (!dir_make(sockets, err))
        return false;
    if (chmod(sockets, 0700) != 0)
        return error_os(err, errno, "make %s private", sockets);
    bool there = stat(path, &status) == 0;
    if (there && !file_read(path, &before, err))
        return false;
    if (!sshconfig_merge(buf_bytes(&before), host, block, &after, err))
        return error_wrap(err, "%s", path);
    if (there && bytes_equal(buf_bytes(&before), buf_bytes(&after))) {
        printf("%s is as it should be\n", path);
        return true;
    }
    if (!file_write(path, buf_bytes(&after), err))
        return false;
    if (chmod(path, there ? status.st_mode & 0777 : 0600) != 0)
        return error_os(err, errno, "set the mode of %s", path);
    printf("wrote the block of %s into %s\n", host, path);
    return true;
}

/* The user's own choice of ciphers counts, and it is in the file without our block. */
static bool wants_ciphers(const struct cli *cli, const struct options *options, const char *host)
{
    static const char *const ssh[] = {"ssh", NULL};
    AUTO(mem_free) char *path = path_of(cli, options);
    AUTO(buf_dispose) struct buf file = BUF(FILE_MAX);
    AUTO(buf_dispose) struct buf rest = BUF(FILE_MAX + 1);
    if (options->dry_run || (access(path, F_OK) == 0 && !file_read(path, &file, NULL)))
        return false;
    return sshconfig_merge(buf_bytes(&file), host, (struct bytes){0}, &rest, NULL) &&
           ciphers_worth_a_line(ssh, host, buf_bytes(&rest));
}

static bool block_of(struct cli *cli, const struct options *options, const struct project *project,
                     const struct target *target, struct buf *out, struct error *err)
{
    AUTO(mem_free) struct rules *rules = xcalloc(1, sizeof *rules);
    if (!rules_of(project, options, rules, err))
        return false;
    struct sshconfig config = {
        .host = target->host,
        .address = options->address,
        .user = options->user ? options->user : target->user,
        .identity = options->identity,
        .port = (uint16_t)options->port,
        .ciphers = wants_ciphers(cli, options, target->host) ? CIPHERS_LINE : NULL,
        .rules = rules->items,
        .rules_count = rules->count,
    };
    return sshconfig_block(&config, out, err);
}

static bool ssh_config_run(void *context, const void *raw, struct operands operands,
                           struct error *err)
{
    const struct options *options = raw;
    AUTO(project_free) struct project *project = project_find(context, err);
    AUTO(target_dispose) struct target target = {0};
    AUTO(buf_dispose) struct buf block = BUF(64 * 1024);
    if (!project || !target_of(project, operands, &target, err) ||
        !block_of(context, options, project, &target, &block, err))
        return false;
    if (options->write)
        return write_file(context, options, target.host, buf_bytes(&block), err);
    printf("%s", buf_string(&block));
    return true;
}

#define SSH_ROWS                                                                                   \
    OPTION_TEXT(0, "address", "NAME", address,                                                     \
                "its name or number, when HOST is only a nickname"),                               \
        OPTION_TEXT('u', "user", "NAME", user, "the user there"),                                  \
        OPTION_INT('p', "port", "PORT", port, "the port of its sshd", .min = 0, .max = 65535),     \
        OPTION_TEXT('i', "identity", "FILE", identity, "the key to use"),                          \
        OPTION_LIST('f', "forward", "RULE", forward, "one more port from there"),                  \
        OPTION_LIST('R', "reverse", "RULE", reverse, "one more port from here"),                   \
        OPTION_TEXT(0, "file", "FILE", file, "write here [~/.ssh/config]")

static const struct option ssh_rows[] = {
    OPTION_FLAG('w', "write", write, "merge it into the file, between markers"),
    SSH_ROWS,
    OPTION_END,
};

const struct command command_ssh_config = {
    .name = "ssh-config",
    .operands = "[HOST]",
    .summary = "Print or write the right Host block of ssh's configuration",
    .details = "One shared connection with its socket in a private folder, a keepalive that "
               "notices death in seconds, the forwards of vma.yaml. Writing again changes only "
               "what is between the markers. Editors and docker then use HOST as it is.",
    .options = ssh_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = ssh_config_run,
};

/* Runs a program of the user's and waits for it. */
static bool run_tool(const char *const *arguments, const struct options *options, struct error *err)
{
    if (options->dry_run) {
        for (size_t i = 0; arguments[i]; i++)
            printf("%s%s", i ? " " : "", arguments[i]);
        printf("\n");
        return true;
    }
    struct spawn spawn = {.arguments = arguments, .fds = {0, 1, 2}};
    int status;
    fflush(stdout);
    pid_t pid = spawn_start(&spawn, err);
    if (pid < 0)
        return false;
    if (waitpid(pid, &status, 0) != pid)
        return error_os(err, errno, "wait for %s", arguments[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_UNAVAILABLE, "%s failed", arguments[0]);
    return true;
}

static bool set_up(struct cli *cli, const struct options *options, struct operands operands,
                   struct target *target, char **out_folder, struct error *err)
{
    AUTO(project_free) struct project *project = project_find(cli, err);
    AUTO(buf_dispose) struct buf block = BUF(64 * 1024);
    if (!project || !target_of(project, operands, target, err) ||
        !block_of(cli, options, project, target, &block, err))
        return false;
    if (!options->dry_run && !write_file(cli, options, target->host, buf_bytes(&block), err))
        return false;
    char here[PATH_MAX];
    const char *root = project_root(project) ? project_root(project) : getcwd(here, sizeof here);
    *out_folder = root ? project_remote_folder(root, project_remote(project)) : NULL;
    return true;
}

/* What ssh prints. */
static bool ssh_asks(const char *host, const char *command, struct buf *out)
{
    const char *const arguments[] = {"ssh", "-T", "-o",    "ConnectTimeout=10",
                                     "--",  host, command, NULL};
    int ends[2], status;
    if (fds_pipe(ends, FDS_BLOCKING) != 0)
        return false;
    struct spawn spawn = {.arguments = arguments, .fds = {0, ends[1], 2}};
    pid_t pid = spawn_start(&spawn, NULL);
    close(ends[1]);
    ssize_t got = 1;
    while (pid > 0 && got > 0) {
        uint8_t *room = buf_reserve(out, 4096, NULL);
        got = room ? read(ends[0], room, 4096) : -1;
        if (got > 0)
            buf_commit(out, (size_t)got);
    }
    close(ends[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* "~/x" as the host calls it: an editor does not know what ~ is there. NULL when it does not say,
 * or there is no such folder yet. */
static char *absolute_there(const char *host, const char *folder)
{
    AUTO(buf_dispose) struct buf command = BUF(16 * 1024);
    AUTO(buf_dispose) struct buf answer = BUF(64 * 1024);
    bool fits = buf_text(&command, "cd ~/'", NULL);
    for (const char *at = folder + 2; *at && fits; at++)
        fits = buf_printf(&command, NULL, *at == '\'' ? "'\\%c'" : "%c", *at);
    if (!fits || !buf_text(&command, "' 2>/dev/null && pwd", NULL) ||
        !ssh_asks(host, buf_string(&command), &answer))
        return NULL;
    struct bytes line = text_trim(buf_bytes(&answer));
    const uint8_t *newline = text_last(line, '\n');
    const char *path = (const char *)(newline ? newline + 1 : line.data);
    size_t length = line.size - (newline ? (size_t)(newline + 1 - line.data) : 0);
    return length > 0 && path[0] == '/' ? xstrndup(path, length) : NULL;
}

static bool code_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    AUTO(target_dispose) struct target target = {0};
    AUTO(mem_free) char *folder = NULL;
    if (!set_up(context, raw, operands, &target, &folder, err))
        return false;
    AUTO(mem_free) char *remote = xasprintf("ssh-remote+%s", target.host);
    const struct options *options = raw;
    const char *path = options->name ? options->name : folder;
    AUTO(mem_free) char *found = NULL;
    if (path && strncmp(path, "~/", 2) == 0 && !options->dry_run)
        path = found = absolute_there(target.host, path);
    if (path && (path[0] == '/' || options->dry_run)) {
        const char *const arguments[] = {"code", "--remote", remote, path, NULL};
        return run_tool(arguments, options, err);
    }
    const char *const arguments[] = {"code", "--remote", remote, NULL};
    return run_tool(arguments, options, err);
}

static const struct option code_rows[] = {
    OPTION_TEXT('C', "folder", "DIR", name, "open this folder there [the project's]"),
    OPTION_FLAG('n', "dry-run", dry_run, "only say what would be run"),
    SSH_ROWS,
    OPTION_END,
};

const struct command command_code = {
    .name = "code",
    .operands = "[HOST]",
    .summary = "Open VS Code on HOST, with ssh set up as by ssh-config --write",
    .options = code_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = code_run,
};

static bool docker_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    AUTO(target_dispose) struct target target = {0};
    AUTO(mem_free) char *folder = NULL;
    const struct options *options = raw;
    if (!set_up(context, raw, operands, &target, &folder, err))
        return false;
    const char *name = options->name ? options->name : target.host;
    AUTO(mem_free) char *host = xasprintf("host=ssh://%s", target.host);
    const char *const create[] = {"docker", "context", "create", name, "--docker", host, NULL};
    const char *const update[] = {"docker", "context", "update", name, "--docker", host, NULL};
    const char *const use[] = {"docker", "context", "use", name, NULL};
    struct error first;
    if (!run_tool(create, options, &first) && !run_tool(update, options, err))
        return false;
    return run_tool(use, options, err);
}

static const struct option docker_rows[] = {
    OPTION_TEXT('N', "name", "NAME", name, "the context's name [HOST]"),
    OPTION_FLAG('n', "dry-run", dry_run, "only say what would be run"),
    SSH_ROWS,
    OPTION_END,
};

const struct command command_docker_context = {
    .name = "docker-context",
    .operands = "[HOST]",
    .summary = "Make docker here talk to the docker on HOST",
    .options = docker_rows,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .max_operands = 1,
    .run = docker_run,
};
