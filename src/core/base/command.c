/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wrap.h"

enum { HANGING = 4, SUMMARIES = 18 }; /* columns */

static const char *nearest(const struct program *program, const char *name)
{
    const char *best = NULL;
    size_t best_distance = 3;
    for (size_t i = 0; program->commands[i]; i++) {
        size_t d = text_distance(name, program->commands[i]->name);
        if (!program->commands[i]->hidden && d < best_distance) {
            best_distance = d;
            best = program->commands[i]->name;
        }
    }
    return best;
}

const struct command *program_find(const struct program *program, char **arguments,
                                   char ***out_rest, struct error *err)
{
    const char *name = arguments[0];
    for (size_t i = 0; name && program->commands[i]; i++) {
        if (strcmp(program->commands[i]->name, name) == 0) {
            *out_rest = arguments + 1;
            return program->commands[i];
        }
    }
    if (program->fallback && (!name || name[0] == '-')) {
        *out_rest = arguments;
        return program->fallback;
    }
    const char *near = name ? nearest(program, name) : NULL;
    if (!name)
        error_set(err, ERROR_INVALID, "which command? See %s --help", program->name);
    else if (near)
        error_set(err, ERROR_INVALID, "unknown command \"%.40s\"; did you mean \"%s\"?", name,
                  near);
    else
        error_set(err, ERROR_INVALID, "unknown command \"%.40s\"; see %s --help", name,
                  program->name);
    return NULL;
}

bool command_run(const struct command *command, void *context, char **arguments,
                 char *(*lookup)(const char *name), struct error *err)
{
    static const struct option none[] = {OPTION_END};
    const struct option *rows = command->options ? command->options : none;
    AUTO(mem_free) void *values = xcalloc(1, command->options_size);
    struct operands operands;

    if (command->defaults)
        memcpy(values, command->defaults, command->options_size);
    if (!options_from_environment(rows, values, lookup, err) ||
        !options_from_arguments(rows, values, arguments, command->stop_at_operand, &operands, err))
        return error_wrap(err, "%s", command->name);
    if (operands.count < command->min_operands)
        return error_set(err, ERROR_INVALID, "%s: expected %s", command->name, command->operands);
    if (operands.count > command->max_operands)
        return error_set(err, ERROR_INVALID, "%s: \"%.60s\" is one operand too many", command->name,
                         operands.items[command->max_operands]);
    return command->run(context, values, operands, err);
}

/* Is there anything to say about its options? */
static bool has_options(const struct command *command)
{
    const struct option *row = command->options;
    while (row && row->kind && !row->name)
        row++;
    return row && row->kind;
}

static bool put_usage(const struct program *program, const struct command *command, struct buf *out,
                      struct error *err)
{
    const char *name = command == program->fallback ? "" : command->name;
    return buf_printf(out, err, "%s%s%s%s%s%s", program->name, *name ? " " : "", name,
                      has_options(command) ? " [OPTION…]" : "", command->operands ? " " : "",
                      command->operands ? command->operands : "");
}

bool command_help(const struct program *program, const struct command *command, struct buf *out,
                  struct error *err)
{
    AUTO(buf_dispose) struct buf usage = BUF(1024);
    return put_usage(program, command, &usage, err) &&
           wrap_put(out, buf_string(&usage), 0, HANGING, err) && buf_text(out, "\n  ", err) &&
           wrap_put(out, command->summary, 2, 2, err) && buf_text(out, "\n", err) &&
           (!command->details ||
            (buf_text(out, "\n", err) && wrap_put(out, command->details, 0, 0, err) &&
             buf_text(out, "\n", err))) &&
           (!has_options(command) ||
            (buf_text(out, "\n", err) && options_help(command->options, out, err)));
}

bool program_help(const struct program *program, struct buf *out, struct error *err)
{
    AUTO(buf_dispose) struct buf head = BUF(1024);
    if (!buf_printf(&head, err, "%s %s: %s", program->name, program->version, program->summary) ||
        !wrap_put(out, buf_string(&head), 0, HANGING, err) || !buf_text(out, "\n\n", err))
        return false;
    if (program->fallback && !command_help(program, program->fallback, out, err))
        return false;
    if (!buf_text(out, program->fallback ? "\nOr a command:\n" : "Commands:\n", err))
        return false;
    for (size_t i = 0; program->commands[i]; i++)
        if (!program->commands[i]->hidden && program->commands[i] != program->fallback &&
            !(buf_printf(out, err, "  %-14s  ", program->commands[i]->name) &&
              wrap_put(out, program->commands[i]->summary, SUMMARIES, SUMMARIES, err) &&
              buf_text(out, "\n", err)))
            return false;
    if (program->examples && !buf_text(out, "\nExamples:\n", err))
        return false;
    for (const struct example *one = program->examples; one && one->line; one++)
        if (!buf_printf(out, err, "  %s\n      %s\n", one->line, one->help))
            return false;
    if (program->details &&
        (!buf_text(out, "\n", err) || !wrap_put(out, program->details, 0, 0, err) ||
         !buf_text(out, "\n", err)))
        return false;
    return buf_printf(out, err, "\n%s COMMAND --help tells more about one.\n", program->name);
}

/* Text in man(7) format: backslashes, hyphens and leading dots have a meaning of their own. */
static bool put_roff(struct buf *out, const char *text, struct error *err)
{
    bool line_start = true;
    for (; *text; text++) {
        const char *as = *text == '\\' ? "\\e" : *text == '-' ? "\\-" : NULL;
        if (line_start && (*text == '.' || *text == '\'') && !buf_text(out, "\\&", err))
            return false;
        if (!(as ? buf_text(out, as, err)
                 : buf_append(out, (struct bytes){(const uint8_t *)text, 1}, err)))
            return false;
        line_start = *text == '\n';
    }
    return true;
}

static bool put_manual_option(const struct option *option, struct buf *out, struct error *err)
{
    if (!option->name)
        return true;
    if (!buf_text(out, ".TP\n", err) ||
        (option->letter && !buf_printf(out, err, "\\fB\\-%c\\fR, ", option->letter)) ||
        !buf_text(out, "\\fB\\-\\-", err) || !put_roff(out, option->name, err) ||
        !buf_text(out, "\\fR", err))
        return false;
    if (option->argument && !buf_printf(out, err, " \\fI%s\\fR", option->argument))
        return false;
    AUTO(buf_dispose) struct buf help = BUF(4 * 1024);
    if (!option_help(option, &help, err) || !buf_text(out, "\n", err) ||
        !put_roff(out, buf_string(&help), err))
        return false;
    return !option->environment ||
           buf_printf(out, err, ". In the environment: \\fB%s\\fR.", option->environment);
}

static bool put_manual_command(const struct program *program, const struct command *command,
                               struct buf *out, struct error *err)
{
    AUTO(buf_dispose) struct buf usage = BUF(1024);
    if (!put_usage(program, command, &usage, err) || !buf_text(out, ".SS ", err) ||
        !put_roff(out, buf_string(&usage), err) || !buf_text(out, "\n", err) ||
        !put_roff(out, command->summary, err) || !buf_text(out, ".\n", err))
        return false;
    if (command->details && (!buf_text(out, ".PP\n", err) ||
                             !put_roff(out, command->details, err) || !buf_text(out, "\n", err)))
        return false;
    for (const struct option *row = command->options; row && row->kind; row++)
        if (!put_manual_option(row, out, err) || !buf_text(out, "\n", err))
            return false;
    return true;
}

static bool put_manual_head(const struct program *program, struct buf *out, struct error *err)
{
    if (!buf_printf(out, err, ".TH %s 1 \"\" \"%s %s\"\n.SH NAME\n%s \\- ", program->name,
                    program->name, program->version, program->name) ||
        !put_roff(out, program->summary, err) || !buf_text(out, "\n.SH SYNOPSIS\n", err))
        return false;
    if (program->fallback &&
        !buf_printf(out, err, ".B %s\n[\\fIoption\\fR ...]\n.br\n", program->name))
        return false;
    return buf_printf(out, err, ".B %s\n\\fIcommand\\fR [\\fIoption\\fR ...]\n", program->name);
}

/* What --help and command_exit_code say, for those who write scripts. */
static bool put_manual_tail(const struct program *program, struct buf *out, struct error *err)
{
    if (program->examples && !buf_text(out, ".SH EXAMPLES\n", err))
        return false;
    for (const struct example *one = program->examples; one && one->line; one++)
        if (!buf_text(out, ".TP\n\\fB", err) || !put_roff(out, one->line, err) ||
            !buf_text(out, "\\fR\n", err) || !put_roff(out, one->help, err) ||
            !buf_text(out, "\n", err))
            return false;
    return buf_text(out,
                    ".SH EXIT STATUS\n0 when all is well, 64 for input or options that cannot be "
                    "used, 66 when what was named does not exist, 69 when something needed is not "
                    "there, 70 for a fault of the program, 73 for a conflict, 74 when the disk is "
                    "full, 75 when it took too long, 77 when it is not allowed, 130 when it was "
                    "interrupted, 1 for the "
                    "rest.\n",
                    err);
}

bool program_manual(const struct program *program, struct buf *out, struct error *err)
{
    if (!put_manual_head(program, out, err) || !buf_text(out, ".SH COMMANDS\n", err))
        return false;
    if (program->fallback && !put_manual_command(program, program->fallback, out, err))
        return false;
    for (size_t i = 0; program->commands[i]; i++)
        if (!program->commands[i]->hidden && program->commands[i] != program->fallback &&
            !put_manual_command(program, program->commands[i], out, err))
            return false;
    if (program->details && (!buf_text(out, ".SH NOTES\n", err) ||
                             !put_roff(out, program->details, err) || !buf_text(out, "\n", err)))
        return false;
    return put_manual_tail(program, out, err);
}

bool program_reference(const struct program *program, struct buf *out, struct error *err)
{
    for (size_t i = 0; program->commands[i]; i++) {
        const struct command *command = program->commands[i];
        if (command->hidden || !command->options)
            continue;
        if (!buf_printf(out, err, "\n## %s %s\n\n%s.\n\n", program->name, command->name,
                        command->summary) ||
            !options_reference(command->options, out, err))
            return false;
    }
    return true;
}

int command_exit_code(const struct error *err)
{
    switch (err->kind) {
    case ERROR_INVALID:
        return 64;
    case ERROR_UNAVAILABLE:
        return 69;
    case ERROR_INTERNAL:
        return 70;
    case ERROR_CONFLICT:
        return 73;
    case ERROR_TIMEOUT:
        return 75;
    case ERROR_DENIED:
        return 77;
    case ERROR_CANCELLED:
        return 130;
    case ERROR_NOT_FOUND:
        return 66;
    case ERROR_LIMIT:
        return err->os == ENOSPC || err->os == EDQUOT ? 74 : 1;
    }
    return 1;
}
