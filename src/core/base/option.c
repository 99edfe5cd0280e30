/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/text.h"
#include "base/wrap.h"

const struct option *option_find(const struct option *rows, const char *name, size_t length)
{
    for (; rows->kind; rows++)
        if (rows->name && strlen(rows->name) == length && memcmp(rows->name, name, length) == 0)
            return rows;
    return NULL;
}

static const struct option *find_letter(const struct option *rows, char letter)
{
    for (; rows->kind; rows++)
        if (rows->letter == letter)
            return rows;
    return NULL;
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const on[] = {"1", "true", "yes", "on"};
    static const char *const off[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        if (strcmp(text, on[i]) == 0 || strcmp(text, off[i]) == 0) {
            *out = strcmp(text, on[i]) == 0;
            return true;
        }
    }
    return false;
}

/* "a, b or c" */
static void describe_choices(const char *const *choices, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; choices[i] && used < size; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] ? ", " : " or ";
        int length = snprintf(out + used, size - used, "%s%s", between, choices[i]);
        used += length > 0 ? (size_t)length : 0;
    }
}

static void describe_allowed(const struct option *option, char *out, size_t size)
{
    bool bounded = option->min != 0 || option->max != 0;
    switch (option->kind) {
    case OPTION_KIND_FLAG:
        snprintf(out, size, "true or false");
        break;
    case OPTION_KIND_INT:
    case OPTION_KIND_REAL:
        if (bounded)
            snprintf(out, size, "a%s number from %.15g to %.15g",
                     option->kind == OPTION_KIND_INT ? " whole" : "", option->min, option->max);
        else
            snprintf(out, size, "a%s number", option->kind == OPTION_KIND_INT ? " whole" : "");
        break;
    case OPTION_KIND_DURATION:
        snprintf(out, size, "a time such as 7d, 1h30m or 250ms");
        break;
    case OPTION_KIND_SIZE:
        snprintf(out, size, "a size such as 10MB or 512KiB");
        break;
    case OPTION_KIND_CHOICE:
        describe_choices(option->choices, out, size);
        break;
    case OPTION_KIND_TEXT:
    case OPTION_KIND_LIST:
        snprintf(out, size, "text");
        break;
    }
}

static bool refuse(const struct option *option, const char *source, const char *text,
                   struct error *err)
{
    char allowed[140];
    describe_allowed(option, allowed, sizeof allowed);
    if (option->secret)
        return error_set(err, ERROR_INVALID, "%s: not %s", source, allowed);
    return error_set(err, ERROR_INVALID, "%s is \"%.40s\": expected %s", source, text, allowed);
}

static bool is_choice(const struct option *option, const char *text, const char **out)
{
    for (size_t i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *out = option->choices[i];
            return true;
        }
    }
    return false;
}

bool option_set(const struct option *option, void *values, const char *source, const char *text,
                struct error *err)
{
    void *field = (char *)values + option->offset;
    bool bounded = option->min != 0 || option->max != 0;
    double min = bounded ? option->min : -9e15, max = bounded ? option->max : 9e15;
    bool right = false;

    switch (option->kind) {
    case OPTION_KIND_FLAG:
        right = parse_flag(text, field);
        break;
    case OPTION_KIND_TEXT:
        *(const char **)field = text;
        right = true;
        break;
    case OPTION_KIND_INT:
        right = text_int(text, (int64_t)min, (int64_t)max, field);
        break;
    case OPTION_KIND_REAL:
        right = text_real(text, min, max, field);
        break;
    case OPTION_KIND_DURATION:
        right = duration_parse(text, field, NULL);
        break;
    case OPTION_KIND_SIZE:
        right = size_parse(text, field, NULL);
        break;
    case OPTION_KIND_CHOICE:
        right = is_choice(option, text, field);
        break;
    case OPTION_KIND_LIST: {
        struct option_list *list = field;
        if (list->count == OPTION_LIST_MAX)
            return error_set(err, ERROR_LIMIT, "%s: at most %d times", source, OPTION_LIST_MAX);
        list->items[list->count++] = text;
        right = true;
        break;
    }
    }
    return right || refuse(option, source, text, err);
}

bool options_from_environment(const struct option *rows, void *values,
                              char *(*lookup)(const char *name), struct error *err)
{
    for (; rows->kind; rows++) {
        const char *text = rows->environment ? lookup(rows->environment) : NULL;
        if (text && *text && !option_set(rows, values, rows->environment, text, err))
            return false;
    }
    return true;
}

/* Where reading stands in the arguments. Operands are gathered at the front. */
struct reader {
    const struct option *rows;
    void *values;
    char **next;
};

static bool take_value(struct reader *reader, const struct option *option, const char *source,
                       const char *text, struct error *err)
{
    if (!text)
        text = *reader->next;
    if (!text)
        return error_set(err, ERROR_INVALID, "%s needs a value: %s", source,
                         option->argument ? option->argument : "VALUE");
    if (text == *reader->next)
        reader->next++;
    return option_set(option, reader->values, source, text, err);
}

/* Says what was probably meant, if one is near. */
static bool refuse_unknown(const struct option *rows, const char *given, size_t length,
                           struct error *err)
{
    char name[65];
    const char *best = NULL;
    size_t best_distance = 3;
    snprintf(name, sizeof name, "%.*s", (int)length, given);
    for (; rows->kind; rows++) {
        size_t d = rows->name ? text_distance(name, rows->name) : best_distance;
        if (d < best_distance && d < strlen(name)) {
            best_distance = d;
            best = rows->name;
        }
    }
    if (best)
        return error_set(err, ERROR_INVALID, "unknown option \"--%s\"; did you mean \"--%s\"?",
                         name, best);
    return error_set(err, ERROR_INVALID, "unknown option \"--%s\"; --help lists them", name);
}

static bool read_long(struct reader *reader, const char *argument, struct error *err)
{
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *option = option_find(reader->rows, name, length);
    bool negated = false;
    if (!option && text_starts(name, "no-")) {
        option = option_find(reader->rows, name + 3, length - 3);
        negated = option && option->kind == OPTION_KIND_FLAG;
        option = negated ? option : NULL;
    }
    if (!option)
        return refuse_unknown(reader->rows, name, length, err);

    char source[80];
    snprintf(source, sizeof source, "--%.*s", (int)length, name);
    if (option->kind == OPTION_KIND_FLAG) {
        if (equals)
            return error_set(err, ERROR_INVALID, "%s takes no value", source);
        *(bool *)((char *)reader->values + option->offset) = !negated;
        return true;
    }
    return take_value(reader, option, source, equals ? equals + 1 : NULL, err);
}

static bool read_letters(struct reader *reader, const char *argument, struct error *err)
{
    for (const char *at = argument + 1; *at; at++) {
        const struct option *option = find_letter(reader->rows, *at);
        char source[3] = {'-', *at, '\0'};
        if (!option)
            return error_set(err, ERROR_INVALID, "unknown option \"%s\"; --help lists them",
                             source);
        if (option->kind != OPTION_KIND_FLAG)
            return take_value(reader, option, source, at[1] ? at + 1 : NULL, err);
        *(bool *)((char *)reader->values + option->offset) = true;
    }
    return true;
}

bool options_from_arguments(const struct option *rows, void *values, char **arguments,
                            bool stop_at_operand, struct operands *out, struct error *err)
{
    struct reader reader = {rows, values, arguments};
    char **end = arguments; /* of the operands found so far */

    while (*reader.next) {
        char *argument = *reader.next++;
        bool option = argument[0] == '-' && argument[1];
        if (!option) {
            *end++ = argument;
            if (stop_at_operand)
                break;
            continue;
        }
        if (strcmp(argument, "--") == 0)
            break;
        if (!(argument[1] == '-' ? read_long(&reader, argument, err)
                                 : read_letters(&reader, argument, err)))
            return false;
    }
    while (*reader.next)
        *end++ = *reader.next++;
    *out = (struct operands){(size_t)(end - arguments), arguments};
    return true;
}

/* What may stand in brackets at the end of a help text is its default. */
static const char *default_at(const char *help)
{
    const char *open = strrchr(help, '[');
    return open && open > help && help[strlen(help) - 1] == ']' ? open : NULL;
}

bool option_help(const struct option *row, struct buf *out, struct error *err)
{
    char choices[140];
    if (row->kind != OPTION_KIND_CHOICE)
        return buf_text(out, row->help, err);
    const char *initial = default_at(row->help);
    int size = (int)(initial ? (size_t)(initial - row->help) : strlen(row->help));
    describe_choices(row->choices, choices, sizeof choices);
    return buf_printf(out, err, "%.*s%s(%s)%s%s", size, row->help, initial ? "" : " ", choices,
                      initial ? " " : "", initial ? initial : "");
}

enum { AROUND = 10 }; /* columns: "  -x, --" before a name and "  " behind the widest */

bool options_help(const struct option *rows, struct buf *out, struct error *err)
{
    size_t widest = 0;
    for (const struct option *row = rows; row->kind; row++) {
        size_t width =
            row->name ? strlen(row->name) + (row->argument ? strlen(row->argument) + 1 : 0) : 0;
        widest = width > widest ? width : widest;
    }
    for (; rows->kind; rows++) {
        if (!rows->name)
            continue;
        char letter[5] = "    ";
        if (rows->letter)
            snprintf(letter, sizeof letter, "-%c, ", rows->letter);
        const char *argument = rows->argument ? rows->argument : "";
        int pad = (int)(widest - strlen(rows->name) - (*argument ? strlen(argument) + 1 : 0));
        AUTO(buf_dispose) struct buf help = BUF(4 * 1024);
        if (!buf_printf(out, err, "  %s--%s%s%s%*s  ", letter, rows->name, *argument ? " " : "",
                        argument, pad, "") ||
            !option_help(rows, &help, err) ||
            !wrap_put(out, buf_string(&help), widest + AROUND, widest + AROUND, err) ||
            !buf_text(out, "\n", err))
            return false;
    }
    return true;
}

bool options_help_environment(const struct option *rows, struct buf *out, struct error *err)
{
    for (; rows->kind; rows++) {
        char allowed[140];
        if (!rows->environment)
            continue;
        describe_allowed(rows, allowed, sizeof allowed);
        if (!buf_printf(out, err, "  %-26s %s (%s)\n", rows->environment, rows->help, allowed))
            return false;
    }
    return true;
}

static bool put_cell(struct buf *out, const char *text, size_t size, struct error *err)
{
    for (size_t i = 0; i < size; i++) {
        bool special = strchr("|<>*_[]", text[i]) != NULL;
        if ((special && !buf_text(out, "\\", err)) ||
            !buf_append(out, (struct bytes){(const uint8_t *)text + i, 1}, err))
            return false;
    }
    return buf_text(out, " | ", err);
}

static bool put_row(const struct option *row, struct buf *out, struct error *err)
{
    char allowed[140];
    const char *initial = default_at(row->help);
    size_t size = initial ? (size_t)(initial - row->help) : strlen(row->help);
    while (size > 0 && row->help[size - 1] == ' ')
        size--;
    describe_allowed(row, allowed, sizeof allowed);
    if (!buf_text(out, "| ", err) || (row->name && !buf_printf(out, err, "`--%s`", row->name)) ||
        !buf_text(out, " | ", err) ||
        (row->environment && !buf_printf(out, err, "`%s`", row->environment)) ||
        !buf_text(out, " | ", err) || !put_cell(out, row->help, size, err) ||
        !put_cell(out, allowed, strlen(allowed), err))
        return false;
    if (initial && !buf_printf(out, err, "%.*s", (int)strlen(initial) - 2, initial + 1))
        return false;
    return buf_text(out, " |\n", err);
}

bool options_reference(const struct option *rows, struct buf *out, struct error *err)
{
    if (!buf_text(out,
                  "| option | variable | what it does | allowed | default |\n"
                  "| --- | --- | --- | --- | --- |\n",
                  err))
        return false;
    for (; rows->kind; rows++)
        if (!put_row(rows, out, err))
            return false;
    return true;
}
