/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "forward/forward.h"
#include "forward/resolve.h"

static void rules_mean_what_people_mean(void **state)
{
    (void)state;
    static const struct {
        const char *text, *listen, *target;
    } cases[] = {
        {"55433", "127.0.0.1:55433", "127.0.0.1:55433"},
        {"8080=80", "127.0.0.1:8080", "127.0.0.1:80"},
        {"8080:80", "127.0.0.1:8080", "127.0.0.1:80"},
        {"0=5000", "127.0.0.1:0", "127.0.0.1:5000"},
        {"172.17.0.1:8001=8001", "172.17.0.1:8001", "127.0.0.1:8001"},
        {"*:80=db:5432", "0.0.0.0:80", "db:5432"},
        {"[::1]:80=[fe80::1]:81", "[::1]:80", "[fe80::1]:81"},
        {"/tmp/a.sock=/var/run/docker.sock", "/tmp/a.sock", "/var/run/docker.sock"},
        {"./a.sock=80", "./a.sock", "127.0.0.1:80"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward_rule rule;
        struct error err;
        char text[FORWARD_TEXT_MAX];
        assert_ok(forward_rule_parse(cases[i].text, false, &rule, &err), &err);
        forward_place_text(&rule.listen, text);
        assert_string_equal(text, cases[i].listen);
        forward_place_text(&rule.target, text);
        assert_string_equal(text, cases[i].target);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",          "x",    "65536",       "-1",       "80=",    "=80",      "a b:80=80",
        "::1:80=80", "80=0", "/tmp/a.sock", "[]:80=80", ":80=80", "80=80=80",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward_rule rule;
        struct error err;
        if (forward_rule_parse(cases[i], false, &rule, &err))
            fail_msg("\"%s\" was accepted", cases[i]);
        assert_int_equal(err.kind, ERROR_INVALID);
    }
}

static void hosts_files_are_read(void **state)
{
    (void)state;
    struct resolved found[4];
    struct bytes text = bytes_of("# comment db\n10.0.0.5\tdb.internal DB # db2\n"
                                 "bad line db\n::1 db\n10.0.0.6 other");
    assert_int_equal(resolve_in_hosts(text, "db", 80, found, 4), 2);
    assert_int_equal(found[0].as.any.sa_family, AF_INET);
    assert_int_equal(found[1].as.any.sa_family, AF_INET6);
    assert_int_equal(resolve_in_hosts(text, "db2", 80, found, 4), 0);
    assert_int_equal(resolve_in_hosts(text, "other", 80, found, 4), 1);
}

static void what_getent_says_is_understood(void **state)
{
    (void)state;
    static const char text[] = "2001:db8::7     STREAM db.internal\n"
                               "2001:db8::7     DGRAM  \n"
                               "10.0.0.7        STREAM \n"
                               "nonsense        STREAM \n10.0.0.8";
    struct resolved found[4];
    assert_int_equal(resolve_in_answer(bytes_of(text), 5432, found, 4), 2);
    assert_int_equal(found[0].as.any.sa_family, AF_INET6);
    assert_int_equal(found[1].as.v4.sin_addr.s_addr, htonl(0x0a000007));
    assert_int_equal(ntohs(found[1].as.v4.sin_port), 5432);
    assert_int_equal(resolve_in_answer(bytes_of(text), 5432, found, 1), 1);
    const char mac[] = "name: db.internal\nip_address: 10.0.0.7\n\nname: db.internal\n"
                       "ipv6_address: fd00::7\n";
    assert_int_equal(resolve_in_answer(bytes_of(mac), 5432, found, 4), 2);
    assert_int_equal(found[1].as.any.sa_family, AF_INET6);
    assert_int_equal(resolve_in_answer(bytes_of(""), 5432, found, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_getent_says_is_understood),
        cmocka_unit_test(rules_mean_what_people_mean),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(hosts_files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
