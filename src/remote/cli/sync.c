/* SPDX-License-Identifier: Apache-2.0 */
/* vma sync: the command and its verbs. */
#include "cli/sync.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "config/config.h"

struct options {
    const char *host, *mode, *keep;
    struct option_list ignore, protect;
    bool once, json, allow_mass_delete, protect_default, watch, quiet, paused;
};

static const char *const verbs[] = {"status", "flush",     "pause",   "resume",
                                    "diff",   "conflicts", "resolve", NULL};

static bool is_verb(const char *text)
{
    for (size_t i = 0; verbs[i]; i++)
        if (strcmp(verbs[i], text) == 0)
            return true;
    return false;
}

/* One operand is a word that we do not know, or a folder whose other side is missing. */
static bool say_alone(const char *operand, struct error *err)
{
    for (size_t i = 0; verbs[i]; i++)
        if (text_distance(operand, verbs[i]) <= 2)
            return error_set(err, ERROR_INVALID, "sync %s: did you mean \"%s\"?", operand,
                             verbs[i]);
    return error_set(err, ERROR_INVALID, "sync %s with what? Give HOST:DEST", operand);
}

static void add_list(struct option_list *to, const struct config_list *from)
{
    for (size_t i = 0; i < from->count && to->count < OPTION_LIST_MAX; i++)
        to->items[to->count++] = from->items[i];
}

/* Without operands the project says what is synced with what. */
static bool start_project(struct cli *cli, struct sync_choices *choices,
                          const struct project *project, struct error *err)
{
    const char *root = project_root(project), *host = choices->host;
    if (!root)
        return error_set(err, ERROR_INVALID,
                         "sync what? Give SRC HOST:DEST, or write vma.yaml (vma init)");
    if (!host)
        host = project_host(project);
    if (!host)
        return error_set(err, ERROR_INVALID,
                         "which host? Set it in vma.yaml, or give SRC HOST:DEST");
    const char *name = strrchr(root, '/');
    const char *folder = project_remote(project);
    AUTO(mem_free) char *remote =
        folder ? xstrdup(folder) : xasprintf("~/%s", name ? name + 1 : root);
    AUTO(mem_free) char *dest =
        xasprintf("%s%s%s", host, strcmp(host, "local:") == 0 ? "" : ":", remote);
    return sync_start(cli, choices, root, dest, err);
}

static bool sync_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    struct cli *cli = context;
    const struct options *options = raw;
    struct sync_choices choices = {.host = options->host,
                                   .mode = options->mode,
                                   .keep = options->keep,
                                   .ignore = options->ignore,
                                   .protect = options->protect,
                                   .once = options->once,
                                   .json = options->json,
                                   .allow_mass_delete = options->allow_mass_delete,
                                   .protect_default = options->protect_default,
                                   .watch = options->watch && !options->once,
                                   .quiet = options->quiet,
                                   .paused = options->paused};
    if (operands.count && is_verb(operands.items[0]))
        return sync_verb(cli, &choices, operands.items[0],
                         (struct operands){operands.count - 1, operands.items + 1}, err);
    if (operands.count == 1)
        return say_alone(operands.items[0], err);
    AUTO(project_free) struct project *project = project_find(cli, err);
    if (!project)
        return false;
    const struct config *config = project_config(project);
    add_list(&choices.ignore, &config->sync.ignore);
    add_list(&choices.protect, &config->sync.protect);
    bool off = config->sync.mode && strcmp(config->sync.mode, "off") == 0;
    if (operands.count == 0 && off && !choices.mode)
        return error_set(err, ERROR_INVALID,
                         "this project's vma.yaml has sync off: --mode MODE syncs it all the same");
    if (!choices.mode)
        choices.mode = config->sync.mode && !off ? config->sync.mode : "mirror";
    if (operands.count == 0)
        return start_project(cli, &choices, project, err);
    char source[PATH_MAX];
    if (!realpath(operands.items[0], source))
        return error_set(err, ERROR_NOT_FOUND, "%s is not a folder here", operands.items[0]);
    return sync_start(cli, &choices, source, operands.items[1], err);
}

static const char *const modes[] = {"mirror", "one-way-safe", "two-way-safe", "two-way-resolved",
                                    NULL};
static const char *const keeps[] = {"local", "remote", "both", NULL};

static const struct option rows[] = {
    OPTION_TEXT('H', "host", "HOST", host, "work on this host [the project's]",
                .environment = "VMA_HOST"),
    OPTION_CHOICE('m', "mode", "MODE", mode, "who may change what [mirror]", .choices = modes),
    OPTION_LIST('i', "ignore", "PATTERN", ignore, "do not sync this; may be repeated"),
    OPTION_LIST(0, "protect", "PATTERN", protect,
                "never send and never delete this; may be repeated"),
    OPTION_FLAG(0, "protect-default", protect_default,
                "protect .env, keys and storage; --no-protect-default does not [yes]"),
    OPTION_FLAG('1', "once", once, "end when both sides are in sync"),
    OPTION_FLAG(0, "watch", watch, "follow changes as they happen; --no-watch looks once [yes]"),
    OPTION_FLAG(0, "allow-mass-delete", allow_mass_delete,
                "delete even if it is most of the tree, or make a vanished folder anew"),
    OPTION_FLAG(0, "paused", paused, "begin paused: look, but change nothing"),
    OPTION_CHOICE(0, "keep", "SIDE", keep, "with resolve: which version stays", .choices = keeps),
    OPTION_FLAG('j', "json", json, "print JSON"),
    OPTION_FLAG('q', "quiet", quiet, "no progress"),
    OPTION_END,
};

const struct command command_sync = {
    .name = "sync",
    .operands =
        "[SRC HOST:DEST | status | flush | pause | resume | diff | conflicts | resolve PATH]",
    .summary = "Keep a folder there in step with one here",
    .details =
        "SRC is a folder here, HOST as ssh takes it, or local:DEST for another folder on this "
        "machine. Without operands the project in vma.yaml is synced. It runs until it is "
        "interrupted; --once ends it when both sides are in sync.\n\n"
        "mirror: the other side becomes and stays like this one. one-way-safe: what was changed "
        "or made there is kept. two-way-safe: both sides may change; what both changed is a "
        "conflict, kept on both sides until it is resolved. two-way-resolved: then this side's "
        "wins.\n\n"
        ".gitignore files are obeyed; --ignore adds patterns in front of them. .env files, keys "
        "and "
        "/storage/ are protected: never sent, never deleted. The folder .git is not synced "
        "(--ignore "
        "'!.git' changes that).\n\n"
        "The other forms ask the sync that runs for the folder we are in: status; flush returns "
        "when everything saved before it has arrived; pause and resume; diff tells what would "
        "be done; conflicts lists them and resolve PATH --keep local|remote|both ends one.",
    .options = rows,
    .defaults = &(const struct options){.protect_default = true, .watch = true},
    .options_size = sizeof(struct options),
    .max_operands = 4,
    .run = sync_run,
};
