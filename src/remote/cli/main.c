/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "sys/memory.h"
#include "sys/peer.h"
#include "sys/spawn.h"

static int fail(const struct error *err)
{
    fprintf(stderr, "vma: %s\n", err->text);
    return command_exit_code(err);
}

static int show(bool written, const struct buf *text, const struct error *err)
{
    if (!written)
        return fail(err);
    fputs(buf_string(text), stdout);
    return 0;
}

/* What runs another command leaves that one's words alone. */
static bool asks_for_help(const struct command *command, char **arguments)
{
    for (; *arguments && strcmp(*arguments, "--") != 0; arguments++) {
        if (strcmp(*arguments, "--help") == 0 || strcmp(*arguments, "-h") == 0)
            return true;
        if (command->stop_at_operand && (*arguments)[0] != '-')
            return false;
    }
    return false;
}

static bool is_dumb(const char *terminal)
{
    return terminal && strcmp(terminal, "dumb") == 0;
}

int main(int count, char **arguments)
{
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    const char *first = count > 1 ? arguments[1] : "--help";
    spawn_fill_standard();
    memory_keep_little();
    log_set(LOG_WARN, LOG_TERMINAL, 2);
    if (strcmp(first, "--version") == 0 || strcmp(first, "version") == 0) {
        printf("vma %s\n", VMA_VERSION);
        return 0;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 ||
        (strcmp(first, "help") == 0 && !arguments[2]))
        return show(program_help(&vma_program, &text, &err), &text, &err);

    char **rest;
    bool help = strcmp(first, "help") == 0;
    const struct command *command =
        program_find(&vma_program, arguments + (help ? 2 : 1), &rest, &err);
    if (!command)
        return fail(&err);
    if (help || asks_for_help(command, rest))
        return show(command_help(&vma_program, command, &text, &err), &text, &err);

    AUTO(mem_free) char *self = self_path(&err);
    if (!self)
        return fail(&err);
    struct cli cli = {
        .lookup = getenv, .self = self, .files = spawn_widen(), .dumb = is_dumb(getenv("TERM"))};
    if (!command_run(command, &cli, rest, getenv, &err))
        return fail(&err);
    return cli.exit_code;
}
