/* SPDX-License-Identifier: Apache-2.0 */
#include "link/advice.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

static struct advice of(const char *said)
{
    struct advice out;
    advice_for(bytes_of(said), true, "gpu", &out);
    return out;
}

static void assert_line(const struct advice *advice, const char *line)
{
    assert_bytes_equal(advice->line, bytes_of(line));
}

static void the_usual_refusals_come_with_what_to_do(void **state)
{
    (void)state;
    struct advice advice = of("me@203.0.113.7: Permission denied (publickey).\r\n");
    assert_non_null(strstr(advice.todo, "\"ssh gpu true\" must work first"));
    assert_line(&advice, "me@203.0.113.7: Permission denied (publickey).");
    assert_int_equal(advice.kind, ERROR_DENIED);
    advice = of("No ED25519 host key is known for gpu and you have requested strict checking.\r\n"
                "Host key verification failed.\r\n");
    assert_non_null(strstr(advice.todo, "once by hand"));
    assert_int_equal(advice.kind, ERROR_DENIED);
    advice = of("@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
                "Offending ED25519 key in /home/me/.ssh/known_hosts:3\r\n"
                "Host key verification failed.\r\n");
    assert_non_null(strstr(advice.todo, "not the one that is known"));
    advice = of("Permission denied (publickey,password).\n"); /* of before 2017 */
    assert_int_equal(advice.kind, ERROR_DENIED);
    advice = of("Load key \"/home/me/.ssh/id\": bad permissions\r\n"
                "me@gpu: Permission denied (publickey).\r\n");
    assert_non_null(strstr(advice.todo, "chmod 600"));
    advice = of("ssh: Could not resolve hostname gpu: Name or service not known\r\n");
    assert_non_null(strstr(advice.todo, "is the name right?"));
    assert_int_equal(advice.kind, ERROR_NOT_FOUND);
}

static void the_cause_is_told_not_what_follows_from_it(void **state)
{
    (void)state;
    struct advice advice = of("me@jump: Permission denied (publickey).\r\n"
                              "Connection closed by UNKNOWN port 65535\r\n");
    assert_line(&advice, "me@jump: Permission denied (publickey).");
    assert_int_equal(advice.kind, ERROR_DENIED);
    advice =
        of("Received disconnect from 203.0.113.7 port 22:2: Too many authentication failures\r\n"
           "Disconnected from 203.0.113.7 port 22\r\n");
    assert_non_null(strstr(advice.todo, "vma ssh-config gpu --identity"));
    advice = of("/home/me/.ssh/config: line 3: Bad configuration option: foo\r\n"
                "/home/me/.ssh/config: terminating, 1 bad configuration options\r\n");
    assert_line(&advice, "/home/me/.ssh/config: line 3: Bad configuration option: foo");
    assert_int_equal(advice.kind, ERROR_NOT_FOUND);
}

static void other_peoples_words_are_not_taken_for_sshs(void **state)
{
    (void)state;
    static const char *const banners[] = {
        "Unauthorized use: Permission denied (always).\r\n",
        "If you see REMOTE HOST IDENTIFICATION HAS CHANGED, call us\r\n",
        "  Host key verification failed? See our page\r\n",
        "Could not resolve hostname? Ask IT. Your passphrase is your secret\r\n",
        "Bad configuration option: see /etc/motd\r\n",
    };
    for (size_t i = 0; i < sizeof banners / sizeof *banners; i++) {
        char said[400];
        snprintf(said, sizeof said, "%sssh: connect to host gpu port 22: Connection refused\r\n",
                 banners[i]);
        struct advice advice = of(said);
        assert_string_equal(advice.todo, "");
        assert_line(&advice, "ssh: connect to host gpu port 22: Connection refused");
        assert_int_equal(advice.kind, ERROR_UNAVAILABLE);
        assert_string_equal(of(banners[i]).todo, "");
    }
    struct advice advice = of("Host key verification failed.\n" /* of a git at login, say */
                              "me@gpu: Permission denied (publickey).\r\n");
    assert_non_null(strstr(advice.todo, "must work first"));
}

static void what_ran_there_and_failed_is_not_sshs_word(void **state)
{
    (void)state;
    struct advice out;
    advice_for(bytes_of("git@example.org: Permission denied (publickey).\nsh: no sh"), false, "gpu",
               &out);
    assert_string_equal(out.todo, "");
    assert_line(&out, "sh: no sh");
    assert_int_equal(out.kind, ERROR_NOT_FOUND);
}

static void nothing_is_made_up(void **state)
{
    (void)state;
    assert_string_equal(of("").todo, "");
    assert_int_equal(of("\n\n").line.size, 0);
    struct advice advice = of("nc: connect: Connection refused\nConnection closed by UNKNOWN port "
                              "65535\n");
    assert_string_equal(advice.todo, "");
    assert_int_equal(advice.kind, ERROR_UNAVAILABLE);
    advice = of("something else\n");
    assert_int_equal(advice.kind, ERROR_NOT_FOUND);
    assert_line(&advice, "something else");
}

static void a_name_of_any_length_and_content_fits(void **state)
{
    (void)state;
    struct advice out;
    char host[400];
    memset(host, '%', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    advice_for(bytes_of("a@b: Permission denied (x)."), true, host, &out);
    assert_int_equal(strlen(out.todo), sizeof out.todo - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_refusals_come_with_what_to_do),
        cmocka_unit_test(the_cause_is_told_not_what_follows_from_it),
        cmocka_unit_test(other_peoples_words_are_not_taken_for_sshs),
        cmocka_unit_test(what_ran_there_and_failed_is_not_sshs_word),
        cmocka_unit_test(nothing_is_made_up),
        cmocka_unit_test(a_name_of_any_length_and_content_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
