/* SPDX-License-Identifier: Apache-2.0 */
/* vmad: from a photo and a sentence to a talking video message. */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/error.h"
#include "daemon/daemon.h"
#include "infer/trace.h"

enum { MAX_HELP = 256 * 1024 };

static const struct command *const commands[] = {&command_serve,  &command_render, &command_voices,
                                                 &command_models, &command_tune,   NULL};

static const struct example examples[] = {
    {"vmad", "serves the page at http://localhost:55433/"},
    {"vmad --port 8080 --data /srv/messages", "another one beside it"},
    {"vmad render photo.jpg --text \"Happy birthday!\" -o message.mp4", "one video, no server"},
    {"vmad render photo.jpg --text-file words.txt -v ja-hana -f 9:16 -b preset:sakura",
     "words from a file, a chosen voice, shape and background"},
    {NULL, NULL},
};

static const struct program program = {
    .name = "vmad",
    .summary = "a photo and a sentence become a talking video message",
    .version = VMAD_VERSION,
    .details = "Without a command, vmad serves. --help-env lists the environment variables, "
               "--manual prints the manual page.",
    .examples = examples,
    .commands = commands,
    .fallback = &command_serve,
};

static bool environment_help(struct buf *out, struct error *err)
{
    for (size_t i = 0; commands[i]; i++) {
        AUTO(buf_dispose) struct buf lines = BUF(MAX_HELP);
        if (!options_help_environment(commands[i]->options, &lines, err))
            return false;
        if (lines.size > 0 && !buf_printf(out, err, "%s%s %s\n%s", out->size > 0 ? "\n" : "",
                                          program.name, commands[i]->name, buf_string(&lines)))
            return false;
    }
    return true;
}

static bool has(char **arguments, const char *name)
{
    for (; *arguments && strcmp(*arguments, "--") != 0; arguments++)
        if (strcmp(*arguments, name) == 0)
            return true;
    return false;
}

/* The words that only print; false when it is none of them. */
static bool print_words(char **arguments, const struct command *command, struct buf *out,
                        struct error *err, bool *out_fine)
{
    if (has(arguments, "--help-env"))
        *out_fine = environment_help(out, err);
    else if (has(arguments, "--reference")) /* docs/config.md */
        *out_fine = program_reference(&program, out, err);
    else if (has(arguments, "--version"))
        *out_fine = buf_printf(out, err, "%s %s\n", program.name, program.version);
    else if (has(arguments, "--manual"))
        *out_fine = program_manual(&program, out, err);
    else if (!has(arguments, "--help") && !has(arguments, "-h"))
        return false;
    else if (command == program.fallback && strcmp(arguments[0], command->name) != 0)
        *out_fine = program_help(&program, out, err);
    else
        *out_fine = command_help(&program, command, out, err);
    return true;
}

/* Pictures, frames and the network's layers (for the embedded one 5 MB in one piece) come and go by
 * the megabyte. Asking the system for each of them costs a third of all time, in clearing pages;
 * keeping all of them costs a quarter of a gigabyte. So the usual ones stay until nobody works (see
 * memory_trim), larger ones go back at once, and threads do not hoard a heap each. */
static void tune_memory(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

static int fail(const struct error *err)
{
    fprintf(stderr, "vmad: %s\n", err->text);
    return command_exit_code(err);
}

int main(int count, char **arguments)
{
    struct error err = {.kind = ERROR_INTERNAL};
    struct daemon daemon = {.version = VMAD_VERSION};
    char executable[PATH_MAX] = "";
    AUTO(buf_dispose) struct buf words = BUF(MAX_HELP);
    bool fine = false;
    char **rest = arguments + 1;

    char untraced[160];
    tune_memory();
    if (!trace_begin(getenv("NVTX_INJECTION64_PATH"), untraced, sizeof untraced))
        fprintf(stderr, "vmad: %s\n", untraced);
    const struct command *command = program_find(&program, arguments + 1, &rest, &err);
    if (!command)
        return fail(&err);
    if (count > 1 && print_words(arguments + 1, command, &words, &err, &fine)) {
        if (!fine)
            return fail(&err);
        fputs(buf_string(&words), stdout);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    if (readlink("/proc/self/exe", executable, sizeof executable - 1) < 0)
        snprintf(executable, sizeof executable, "%s", arguments[0]);
    paths_init(&daemon.paths, executable);
    daemon.language = getenv("LC_ALL") ? getenv("LC_ALL") : getenv("LANG");
    if (!daemon.language)
        daemon.language = "";
    fine = command_run(command, &daemon, rest, getenv, &err);
    paths_dispose(&daemon.paths);
    return fine ? 0 : fail(&err);
}
