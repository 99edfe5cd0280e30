/* SPDX-License-Identifier: Apache-2.0 */
/* vma completion, vma man: what the option tables know, for shells and for man. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"

struct options {
    bool unused;
};

static void print_bash(void)
{
    printf("# bash completion for vma: eval \"$(vma completion bash)\"\n_vma() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; vma_program.commands[i]; i++)
        if (!vma_program.commands[i]->hidden)
            printf("%s ", vma_program.commands[i]->name);
    printf("help\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        if (command->hidden)
            continue;
        printf("    %s) COMPREPLY=($(compgen -W \"", command->name);
        for (const struct option *row = command->options; row && row->kind; row++)
            if (row->name)
                printf("--%s ", row->name);
        printf("--help\" -- \"$word\")) ;;\n");
    }
    printf("    esac\n    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "}\ncomplete -o filenames -F _vma vma\n");
}

/* For single quotes, in zsh also without what _arguments gives a meaning. */
static void print_quoted(const char *text, const char *spoilt)
{
    for (; *text; text++) {
        if (*text == '\'')
            printf("'\\''");
        else if (!strchr(spoilt, *text))
            putchar(*text);
    }
}

static void print_zsh(void)
{
    printf("#compdef vma\n# zsh completion for vma: vma completion zsh > a folder of $fpath/_vma\n"
           "_vma() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        if (command->hidden)
            continue;
        printf("        '%s:", command->name);
        print_quoted(command->summary, ":");
        printf("'\n");
    }
    printf("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n"
           "        return\n    fi\n    case $words[2] in\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        if (command->hidden)
            continue;
        printf("    %s) _arguments -S", command->name);
        for (const struct option *row = command->options; row && row->kind; row++) {
            if (!row->name)
                continue;
            printf(" \\\n        '--%s%s[", row->name, row->argument ? "=" : "");
            print_quoted(row->help, "[]:");
            printf("]%s%s'", row->argument ? ":" : "", row->argument ? row->argument : "");
        }
        printf(" \\\n        '*:file:_files' ;;\n");
    }
    printf("    esac\n}\n_vma \"$@\"\n");
}

static void print_fish(void)
{
    printf("# fish completion for vma: vma completion fish > "
           "~/.config/fish/completions/vma.fish\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        if (command->hidden)
            continue;
        printf("complete -c vma -n __fish_use_subcommand -f -a %s -d '", command->name);
        print_quoted(command->summary, "\\");
        printf("'\n");
        for (const struct option *row = command->options; row && row->kind; row++) {
            if (!row->name)
                continue;
            printf("complete -c vma -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                   row->name);
            if (row->letter)
                printf(" -s %c", row->letter);
            printf("%s -d '", row->argument ? " -r" : "");
            print_quoted(row->help, "\\");
            printf("'\n");
        }
    }
}

static bool completion_run(void *context, const void *raw, struct operands operands,
                           struct error *err)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    (void)context;
    (void)raw;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, operands.items[0]) == 0) {
            shells[i].print();
            return true;
        }
    }
    return error_set(err, ERROR_INVALID, "bash, zsh or fish, not \"%s\"", operands.items[0]);
}

static bool man_run(void *context, const void *raw, struct operands operands, struct error *err)
{
    AUTO(buf_dispose) struct buf text = BUF(1024 * 1024);
    (void)context;
    (void)raw;
    (void)operands;
    if (!program_manual(&vma_program, &text, err))
        return false;
    printf("%s", buf_string(&text));
    return true;
}

static const struct option none[] = {OPTION_END};

const struct command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .summary = "Print the completion script of a shell",
    .options = none,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .min_operands = 1,
    .max_operands = 1,
    .run = completion_run,
};

const struct command command_man = {
    .name = "man",
    .summary = "Print the manual page: vma man | man -l -",
    .options = none,
    .defaults = &(const struct options){0},
    .options_size = sizeof(struct options),
    .run = man_run,
};
