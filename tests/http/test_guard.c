/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "http/guard.h"

static const struct guard_names here = {.loopback = true, .own = {"127.0.0.1"}};
static const struct guard_names everywhere = {.own = {"0.0.0.0", "Gpu.Example.org"}};

static enum guard_verdict ask(const struct guard_names *names, const char *host)
{
    struct error err;
    const struct guard_header header = {.hosts = 1, .host = host, .reads = true};
    enum guard_verdict verdict = guard_check(names, &header, &err);
    if (verdict == GUARD_REFUSED)
        assert_string_equal(err.code, "host_denied");
    return verdict;
}

static void on_loopback_only_names_of_this_machine_are_answered(void **state)
{
    static const char *const ours[] = {"localhost",     "LOCALHOST:55433", "localhost.",
                                       "app.localhost", "127.0.0.1",       "127.8.8.8:1",
                                       "[::1]",         "[::1]:55433",     "[::ffff:127.0.0.1]"};
    static const char *const others[] = {"evil.example",
                                         "evil.example:55433",
                                         "localhost.evil.example",
                                         "xlocalhost",
                                         "192.168.1.2",
                                         "[fe80::1]",
                                         "gateway",
                                         "127.0.0.1.nip.io",
                                         "128.0.0.1",
                                         "0.0.0.0",
                                         "a.local",
                                         "127.1",
                                         ".localhost.co",
                                         "[::ffff:10.0.0.1]"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(ask(&here, ours[i]), GUARD_FINE);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(ask(&here, others[i]), GUARD_REFUSED);
}

static void in_a_network_addresses_and_private_names_are_answered_too(void **state)
{
    static const char *const ours[] = {
        "192.168.1.2:55433", "[fe80::1]",      "localhost",       "gateway:55433",
        "my-mac.local",      "image.internal", "gpu.example.org", "vmad.svc.cluster.local",
        "nas.home.arpa"};
    static const char *const others[] = {"evil.example", "local", "x.local.evil.example",
                                         "example.org", "a.gpu.example.org"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_int_equal(ask(&everywhere, ours[i]), GUARD_FINE);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (i != 1) /* one label: nobody outside owns it */
            assert_int_equal(ask(&everywhere, others[i]), GUARD_REFUSED);
}

static void names_that_are_configured_are_answered(void **state)
{
    struct guard_names names = here;
    names.allowed = "Video.Example.org, *.example.net";
    assert_int_equal(ask(&names, "video.example.org:443"), GUARD_FINE);
    assert_int_equal(ask(&names, "a.b.example.net"), GUARD_FINE);
    assert_int_equal(ask(&names, "example.net"), GUARD_REFUSED);
    assert_int_equal(ask(&names, "evilexample.net"), GUARD_REFUSED);
    names.allowed = "*";
    assert_int_equal(ask(&names, "anything.example"), GUARD_FINE);
}

static void what_two_readers_could_read_differently_ends_the_connection(void **state)
{
    static const struct guard_header cases[] = {
        {.hosts = 0},
        {.hosts = 2, .host = "localhost"},
        {.hosts = 1, .host = ""},
        {.hosts = 1, .host = "a b"},
        {.hosts = 1, .host = "me@localhost"},
        {.hosts = 1, .host = "localhost:80x"},
        {.hosts = 1, .host = "[::1"},
        {.hosts = 1, .host = "[127.0.0.1]"},
        {.hosts = 1, .host = "[::1]x"},
        {.hosts = 1, .host = "::1"},
        {.hosts = 1, .host = "localhost\xff"},
        {.hosts = 1, .host = "localhost", .odd_name = true},
        {.hosts = 1, .host = "localhost", .lengths = 2},
        {.hosts = 1, .host = "localhost", .lengths = 1, .codings = 1, .coding = "chunked"},
        {.hosts = 1, .host = "localhost", .codings = 2, .coding = "chunked"},
        {.hosts = 1, .host = "localhost", .codings = 1, .coding = "xchunked"},
        {.hosts = 1, .host = "localhost", .codings = 1, .coding = "gzip, chunked"},
        {.hosts = 1, .host = "localhost", .codings = 1, .coding = "chunked", .old = true},
    };
    struct error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(guard_check(&here, &cases[i], &err), GUARD_HANG_UP);
        assert_string_equal(err.code, "request_malformed");
    }
    const struct guard_header old = {.old = true};
    assert_int_equal(guard_check(&here, &old, &err), GUARD_FINE);
    const struct guard_header chunked = {
        .hosts = 1, .host = "localhost", .codings = 1, .coding = "Chunked"};
    assert_int_equal(guard_check(&here, &chunked, &err), GUARD_FINE);
}

static void headers_have_their_limits(void **state)
{
    struct error err;
    const struct guard_header target = {.hosts = 1, .host = "localhost", .target_bytes = 8193};
    const struct guard_header count = {.hosts = 1, .host = "localhost", .fields = 101};
    const struct guard_header bytes = {.hosts = 1, .host = "localhost", .field_bytes = 16385};
    assert_int_equal(guard_check(&here, &target, &err), GUARD_REFUSED);
    assert_string_equal(err.code, "uri_too_long");
    assert_int_equal(guard_check(&here, &count, &err), GUARD_REFUSED);
    assert_string_equal(err.code, "headers_too_large");
    assert_int_equal(guard_check(&here, &bytes, &err), GUARD_REFUSED);
    assert_string_equal(err.code, "headers_too_large");
}

static enum guard_verdict send(const char *allowed, const char *origin, const char *site)
{
    struct error err;
    struct guard_names names = here;
    names.allowed = allowed;
    const struct guard_header header = {
        .hosts = 1, .host = "localhost:55433", .origin = origin, .fetch_site = site};
    enum guard_verdict verdict = guard_check(&names, &header, &err);
    if (verdict == GUARD_REFUSED)
        assert_string_equal(err.code, "origin_denied");
    return verdict;
}

static void pages_of_other_sites_change_nothing(void **state)
{
    assert_int_equal(send(NULL, NULL, NULL), GUARD_FINE); /* no browser */
    assert_int_equal(send(NULL, "http://localhost:55434", "same-site"), GUARD_FINE);
    assert_int_equal(send(NULL, "http://localhost:55433", "same-origin"), GUARD_FINE);
    assert_int_equal(send(NULL, NULL, "none"), GUARD_FINE);
    assert_int_equal(send(NULL, NULL, "cross-site"), GUARD_REFUSED);
    assert_int_equal(send(NULL, "http://localhost:55433", "cross-site"), GUARD_REFUSED);
    assert_int_equal(send(NULL, "https://evil.example", "same-site"), GUARD_REFUSED);
    assert_int_equal(send(NULL, "https://evil.example", NULL), GUARD_REFUSED);
    assert_int_equal(send(NULL, "null", NULL), GUARD_REFUSED);
    assert_int_equal(send("*", "https://evil.example", NULL), GUARD_REFUSED);
    /* A proxy that asks by our address, for a site that we were told of. */
    assert_int_equal(send("video.example.org", "https://video.example.org", NULL), GUARD_FINE);
    assert_int_equal(send("video.example.org", "https://video.example.org", "cross-site"),
                     GUARD_FINE);
    assert_int_equal(send("video.example.org", "https://evil.example", "cross-site"),
                     GUARD_REFUSED);
}

static void a_list_of_names_is_checked(void **state)
{
    struct error err;
    assert_true(guard_names_check("example.org,*.example.net , 10.0.0.1,fe80::1,*", &err));
    static const char *const wrong[] = {"http://example.org", "example.org:80", "a b",
                                        "*example.org", "*."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(guard_names_check(wrong[i], &err));
        assert_non_null(strstr(err.text, wrong[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_loopback_only_names_of_this_machine_are_answered),
        cmocka_unit_test(in_a_network_addresses_and_private_names_are_answered_too),
        cmocka_unit_test(names_that_are_configured_are_answered),
        cmocka_unit_test(what_two_readers_could_read_differently_ends_the_connection),
        cmocka_unit_test(headers_have_their_limits),
        cmocka_unit_test(pages_of_other_sites_change_nothing),
        cmocka_unit_test(a_list_of_names_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
