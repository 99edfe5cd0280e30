/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"
#include "config/config.h"

static void every_key_is_read(void **state)
{
    (void)state;
    struct error err;
    AUTO(config_free)
    struct config *config = config_parse(
        bytes_of(
            "host: u@gpu\nremote: ~/p\nssh: ssh -F ./c\nkeep: 1h30m\nforward: [55433, 8080=80]\n"
            "reverse:\n  - 8001\nsync:\n  mode: two-way-safe\n  ignore: [a/, b]\n  protect:\n"),
        "vma.yaml", &err);
    assert_ok(config, &err);
    assert_string_equal(config->host, "u@gpu");
    assert_string_equal(config->remote, "~/p");
    assert_int_equal(config->ssh.count, 3);
    assert_string_equal(config->ssh.items[2], "./c");
    assert_null(config->ssh.items[3]);
    assert_int_equal(config->keep_ms, 90 * 60 * 1000);
    assert_int_equal(config->forward.count, 2);
    assert_string_equal(config->forward.items[0], "55433");
    assert_int_equal(config->reverse.count, 1);
    assert_string_equal(config->sync.mode, "two-way-safe");
    assert_int_equal(config->sync.ignore.count, 2);
    assert_int_equal(config->sync.protect.count, 0);
}

static void nothing_is_the_default(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "# only a remark\n", "~\n", "host:\n"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct error err;
        AUTO(config_free) struct config *config = config_parse(bytes_of(empty[i]), "f", &err);
        assert_ok(config, &err);
        assert_null(config->host);
        assert_int_equal(config->keep_ms, 12 * 3600 * 1000);
    }
}

static void mistakes_name_the_line_and_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"host: x\nforwards: []\n", "f line 2: unknown key \"forwards\"; is it \"forward\"?"},
        {"hots: x\n", "f line 1: unknown key \"hots\"; is it \"host\"?"},
        {"zzz: 1\n", "f line 1: unknown key \"zzz\""},
        {"sync:\n  moed: x\n", "f line 2: unknown key \"moed\"; is it \"mode\"?"},
        {"host: [a]\n", "f line 1: a text is expected here"},
        {"keep: soon\n", "f line 1: a time such as 12h or 30m is expected here"},
        {"forward: 80\n", "f line 1: a list is expected here, one \"- item\" a line"},
        {"host: a\nhost: b\n", "f line 2: \"host\" is there twice"},
        {"- a\n", "f line 1: \"key: value\" lines are expected here"},
        {"sync: {mode: fast}\n", "f line 1: mirror, one-way-safe, two-way-safe, two-way-resolved "
                                 "or off is expected here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        assert_null(config_parse(bytes_of(cases[i].text), "f", &err));
        assert_error(&err, ERROR_INVALID, cases[i].error);
    }
    struct error err;
    assert_null(config_parse(bytes_of("a: [\n"), "f", &err));
    assert_non_null(strstr(err.text, "f line "));
}

static void the_example_says_the_defaults(void **state)
{
    (void)state;
    struct error err;
    AUTO(buf_dispose) struct buf text = BUF(64 * 1024);
    assert_ok(config_example("local:", &text, &err), &err);
    AUTO(config_free) struct config *config = config_parse(buf_bytes(&text), "f", &err);
    assert_ok(config, &err);
    assert_string_equal(config->host, "local:");
    buf_clear(&text);
    assert_ok(config_example(NULL, &text, &err), &err);
    AUTO(config_free) struct config *none = config_parse(buf_bytes(&text), "f", &err);
    assert_ok(none, &err);
    assert_null(none->host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(nothing_is_the_default),
        cmocka_unit_test(mistakes_name_the_line_and_what_was_meant),
        cmocka_unit_test(the_example_says_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
