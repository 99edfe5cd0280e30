/* SPDX-License-Identifier: Apache-2.0 */
/* vma completion, vma man: what the option tables know, for shells and for man. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/commands.h"

struct options {
    bool unused;
};

/* Prints what an operand or an option's argument may be: the words in lower case of "[SRC | status
 * | flush]", and nothing for what only the user knows. */
static void print_words(const char *pattern, const char *const *choices)
{
    for (size_t i = 0; choices && choices[i]; i++)
        printf("%s ", choices[i]);
    while (pattern && *pattern) {
        size_t length = strcspn(pattern, "[] |");
        if (length > 0 && strspn(pattern, "abcdefghijklmnopqrstuvwxyz-") == length &&
            islower((unsigned char)pattern[0]))
            printf("%.*s ", (int)length, pattern);
        pattern += length + (pattern[length] != '\0');
    }
}

static bool wants_host(const char *pattern)
{
    const char *found = pattern ? strstr(pattern, "HOST") : NULL;
    return found && found[4] != ':'; /* HOST:DEST is more than a name */
}

static void print_bash(void)
{
    printf("# bash completion for vma: eval \"$(vma completion bash)\"\n_vma() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    [ \"$word\" = = ] && word=\n"
           "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"");
    for (size_t i = 0; vma_program.commands[i]; i++)
        if (!vma_program.commands[i]->hidden)
            printf("%s ", vma_program.commands[i]->name);
    printf("help\" -- \"$word\"))\n        return\n    fi\n"
           "    case ${COMP_WORDS[1]}:$before in\n"
           "    *:-H|*:--host) COMPREPLY=($(compgen -W \"$(vma completion hosts)\" -- "
           "\"$word\")); return ;;\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        for (const struct option *row = command->options; row && row->kind; row++) {
            if (command->hidden || !row->name || !row->choices)
                continue;
            printf("    %s:--%s) COMPREPLY=($(compgen -W \"", command->name, row->name);
            print_words(NULL, row->choices);
            printf("\" -- \"$word\")); return ;;\n");
        }
    }
    printf("    esac\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; vma_program.commands[i]; i++) {
        const struct command *command = vma_program.commands[i];
        if (command->hidden)
            continue;
        printf("    %s) COMPREPLY=($(compgen -W \"", command->name);
        for (const struct option *row = command->options; row && row->kind; row++)
            if (row->name)
                printf("--%s ", row->name);
        print_words(command->operands, NULL);
        printf("%s--help\" -- \"$word\")) ;;\n",
               wants_host(command->operands) ? "$(vma completion hosts) " : "");
    }
    printf("    esac\n    [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "}\ncomplete -o filenames -F _vma vma\n");
}

/* For single quotes, with a backslash before what has a meaning all the same. */
static void print_quoted(const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            printf("'\\''");
        else
            printf("%s%c", strchr(special, *text) ? "\\" : "", *text);
    }
}

static void print_zsh_option(const struct option *row)
{
    const char *stop = row->argument ? "=" : "";
    printf(" \\\n        '--%s%s[", row->name, stop);
    print_quoted(row->help, "[]:");
    printf("]");
    if (row->choices) {
        printf(":%s:(", row->argument);
        print_words(NULL, row->choices);
        printf(")");
    } else if (row->argument) {
        printf(":%s:%s", row->argument, wants_host(row->argument) ? "_vma_hosts" : "");
    }
    printf("'");
    if (row->letter) {
        printf(" \\\n        '-%c[", row->letter);
        print_quoted(row->help, "[]:");
        printf("]%s%s%s'", row->argument ? ":" : "", row->argument ? row->argument : "",
               row->argument ? (wants_host(row->argument) ? ":_vma_hosts" : ":") : "");
    }
}

static void print_zsh_operands(const struct command *command)
{
    if (wants_host(command->operands)) {
        printf(" \\\n        '*:host:_vma_hosts'");
        return;
    }
    printf(" \\\n        '*: :{ local -a kinds; kinds=(");
    print_words(command->operands, NULL);
    printf("); (( $#kinds )) && compadd -a kinds; _files }'");
}

static void print_zsh(void)
{
    printf("#compdef vma\n# zsh completion for vma: vma completion zsh > a folder of $fpath/_vma\n"
           "_vma_hosts() {\n    local -a hosts\n    hosts=(${(f)\"$(vma completion hosts)\"})\n"
           "    compadd -a hosts\n}\n"
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
        for (const struct option *row = command->options; row && row->kind; row++)
            if (row->name)
                print_zsh_option(row);
        print_zsh_operands(command);
        printf(" ;;\n");
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
            printf("'");
            if (row->choices || wants_host(row->argument)) {
                printf(" -f -a '");
                print_words(NULL, row->choices);
                printf("%s'", row->choices ? "" : "(vma completion hosts)");
            }
            printf("\n");
        }
        printf("complete -c vma -n '__fish_seen_subcommand_from %s' -a '", command->name);
        print_words(command->operands, NULL);
        printf("%s'%s\n", wants_host(command->operands) ? "(vma completion hosts)" : "",
               wants_host(command->operands) ? " -f" : "");
    }
}

/* The names in ~/.ssh/config that are no patterns. */
static bool print_hosts(struct cli *cli)
{
    AUTO(mem_free) char *home = dirs_home(cli->lookup);
    AUTO(mem_free) char *path = xasprintf("%s/.ssh/config", home);
    AUTO(buf_dispose) struct buf text = BUF(4 * 1024 * 1024);
    char *lines = NULL, *words = NULL;
    printf("local:\n");
    if (!file_read(path, &text, NULL))
        return true;
    AUTO(mem_free) char *copy = xstrdup(buf_string(&text));
    for (char *line = strtok_r(copy, "\r\n", &lines); line; line = strtok_r(NULL, "\r\n", &lines)) {
        char *word = strtok_r(line, " \t=", &words);
        if (!word || strcasecmp(word, "host") != 0)
            continue;
        while ((word = strtok_r(NULL, " \t\"", &words)))
            if (!strpbrk(word, "*?!#"))
                printf("%s\n", word);
    }
    return true;
}

static bool completion_run(void *context, const void *raw, struct operands operands,
                           struct error *err)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    (void)raw;
    if (strcmp(operands.items[0], "hosts") == 0) /* for the scripts */
        return print_hosts(context);
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
