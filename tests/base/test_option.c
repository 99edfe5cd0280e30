/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "base/command.h"
#include "base/option.h"

struct options {
    const char *host;
    const char *key;
    const char *role;
    int64_t port;
    int64_t timeout_ms;
    double speed;
    bool quiet;
    struct option_list forwards;
};

static const char *const roles[] = {"all", "gateway", "worker", NULL};

static const struct option rows[] = {
    OPTION_TEXT('H', "host", "NAME", host, "use this host", .environment = "T_HOST"),
    OPTION_TEXT(0, NULL, NULL, key, "the key", .environment = "T_KEY", .secret = true),
    OPTION_CHOICE(0, "role", "ROLE", role, "what to be", .choices = roles, .environment = "T_ROLE"),
    OPTION_INT('p', "port", "PORT", port, "listen here [0]", .max = 65535),
    OPTION_DURATION('t', "timeout", "TIME", timeout_ms, "give up after TIME [10s]"),
    OPTION_REAL(0, "speed", "FACTOR", speed, "how fast", .min = 0.5, .max = 2),
    OPTION_FLAG('q', "quiet", quiet, "print nothing"),
    OPTION_LIST('L', "forward", "SPEC", forwards, "one more"),
    OPTION_END,
};

/* main's arguments are not const; the parser reorders the array but never writes the text. */
static char **writable(const char **arguments)
{
    return (char **)(uintptr_t)arguments;
}

static bool parse(struct options *values, struct operands *operands, struct error *err,
                  const char **arguments)
{
    return options_from_arguments(rows, values, writable(arguments), false, operands, err);
}

static void options_and_operands_mix_in_any_order(void **state)
{
    struct options values = {0};
    struct operands operands;
    struct error err;
    const char *arguments[] = {"a", "--host=far", "-qp80", "b",  "-t", "1m30s", "-L",
                               "1", "--forward",  "2",     "--", "-c", NULL};

    assert_ok(parse(&values, &operands, &err, arguments), &err);
    assert_string_equal(values.host, "far");
    assert_int_equal(values.port, 80);
    assert_int_equal(values.timeout_ms, 90000);
    assert_true(values.quiet);
    assert_int_equal(values.forwards.count, 2);
    assert_string_equal(values.forwards.items[1], "2");
    assert_int_equal(operands.count, 3);
    assert_string_equal(operands.items[2], "-c");
}

static void wrong_values_say_what_is_allowed(void **state)
{
    static const struct {
        const char *argument, *value, *text;
    } cases[] = {
        {"--port", "x", "--port is \"x\": expected a whole number from 0 to 65535"},
        {"--port", "65536", "--port is \"65536\": expected a whole number from 0 to 65535"},
        {"-p", NULL, "-p needs a value: PORT"},
        {"--role", "king", "--role is \"king\": expected all, gateway or worker"},
        {"--speed", "nan", "--speed is \"nan\": expected a number from 0.5 to 2"},
        {"--timeout", "5", "--timeout is \"5\": expected a time such as 7d, 1h30m or 250ms"},
        {"--quiet=1", NULL, "--quiet takes no value"},
        {"--nope", NULL, "unknown option \"--nope\"; did you mean \"--role\"?"},
        {"--elsewhere", NULL, "unknown option \"--elsewhere\"; --help lists them"},
        {"--no-host", NULL, "unknown option \"--no-host\"; --help lists them"},
        {"-x", NULL, "unknown option \"-x\"; --help lists them"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options values = {0};
        struct operands operands;
        struct error err;
        const char *arguments[] = {cases[i].argument, cases[i].value, NULL};
        assert_false(parse(&values, &operands, &err, arguments));
        assert_error(&err, ERROR_INVALID, cases[i].text);
    }
}

static char *environment_of_test(const char *name)
{
    static char empty[] = "", wrong[] = "wrong", key[] = "s3cret";
    if (strcmp(name, "T_HOST") == 0)
        return empty;
    if (strcmp(name, "T_ROLE") == 0)
        return wrong;
    return strcmp(name, "T_KEY") == 0 ? key : NULL;
}

static void the_environment_is_checked_by_variable_name(void **state)
{
    struct options values = {.host = "default"};
    struct error err;
    assert_false(options_from_environment(rows, &values, environment_of_test, &err));
    assert_error(&err, ERROR_INVALID, "T_ROLE is \"wrong\": expected all, gateway or worker");
    assert_string_equal(values.host, "default");
    assert_string_equal(values.key, "s3cret");
}

static void a_flag_can_be_taken_back(void **state)
{
    struct options values = {.quiet = true};
    struct operands operands;
    struct error err;
    const char *arguments[] = {"--no-quiet", NULL};
    assert_ok(parse(&values, &operands, &err, arguments), &err);
    assert_false(values.quiet);
}

static void help_lines_up(void **state)
{
    static const struct option two[] = {
        OPTION_TEXT('H', "host", "NAME", host, "use this host"),
        OPTION_FLAG(0, "quiet", quiet, "print nothing"),
        OPTION_END,
    };
    AUTO(buf_dispose) struct buf out = BUF(1000);
    struct error err;
    assert_ok(options_help(two, &out, &err), &err);
    assert_string_equal(buf_string(&out), "  -H, --host NAME  use this host\n"
                                          "      --quiet      print nothing\n");
}

static void long_help_stays_in_its_column_and_on_the_screen(void **state)
{
    static const struct option one[] = {
        OPTION_TEXT('H', "host", "NAME", host,
                    "the machine to work on, by name or number or as the configuration of ssh, "
                    "which is read first, calls it, with a long-winded explanation to boot"),
        OPTION_END,
    };
    AUTO(buf_dispose) struct buf out = BUF(1000);
    struct error err;
    assert_ok(options_help(one, &out, &err), &err);
    assert_string_equal(
        buf_string(&out),
        "  -H, --host NAME  the machine to work on, by name or number or as the\n"
        "                   configuration of ssh, which is read first, calls it, with a\n"
        "                   long-winded explanation to boot\n");
}

static bool nothing(void *context, const void *options, struct operands operands, struct error *err)
{
    return true;
}

static void an_unknown_command_names_the_nearest(void **state)
{
    static const struct command forward = {.name = "forward", .run = nothing};
    static const struct command *const commands[] = {&forward, NULL};
    static const struct program program = {.name = "vma", .commands = commands};
    const char *wrong[] = {"froward", NULL}, *far[] = {"xyz", NULL},
               *right[] = {"forward", "1", NULL};
    char **rest;
    struct error err;

    assert_null(program_find(&program, writable(wrong), &rest, &err));
    assert_error(&err, ERROR_INVALID, "unknown command \"froward\"; did you mean \"forward\"?");
    assert_null(program_find(&program, writable(far), &rest, &err));
    assert_error(&err, ERROR_INVALID, "unknown command \"xyz\"; see vma --help");
    assert_ptr_equal(program_find(&program, writable(right), &rest, &err), &forward);
    assert_string_equal(rest[0], "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_mix_in_any_order),
        cmocka_unit_test(wrong_values_say_what_is_allowed),
        cmocka_unit_test(the_environment_is_checked_by_variable_name),
        cmocka_unit_test(a_flag_can_be_taken_back),
        cmocka_unit_test(help_lines_up),
        cmocka_unit_test(long_help_stays_in_its_column_and_on_the_screen),
        cmocka_unit_test(an_unknown_command_names_the_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
