/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "http/header.h"

static void lists_are_divided_outside_quotes(void **state)
{
    struct bytes rest = bytes_of(" a , ,\"b,\\\"c\" ;q=1,,d"), item;
    assert_true(header_list_next(&rest, &item));
    assert_bytes_equal(item, bytes_of("a"));
    assert_true(header_list_next(&rest, &item));
    assert_bytes_equal(item, bytes_of("\"b,\\\"c\" ;q=1"));
    assert_true(header_list_next(&rest, &item));
    assert_bytes_equal(item, bytes_of("d"));
    assert_false(header_list_next(&rest, &item));
}

static void parameters_are_found_and_unquoted(void **state)
{
    struct bytes field = bytes_of("form-data; NAME=\"a \\\"b\\\" c\"; x=1; y");
    char out[16];
    assert_bytes_equal(header_value(field), bytes_of("form-data"));
    assert_true(header_param(field, "name", out, sizeof out));
    assert_string_equal(out, "a \"b\" c");
    assert_true(header_param(field, "x", out, sizeof out));
    assert_string_equal(out, "1");
    assert_false(header_param(field, "y", out, sizeof out));
    assert_false(header_param(field, "z", out, sizeof out));
    assert_false(header_param(field, "name", out, 4));
    assert_true(header_param(field, "name", NULL, 0));
}

static void the_language_is_the_one_liked_best(void **state)
{
    static const char *const offers[] = {"ja", "en", NULL};
    static const struct {
        const char *field;
        size_t expected;
    } cases[] = {
        {NULL, 0},
        {"", 0},
        {"de", 0},
        {"en", 1},
        {"en-GB,en;q=0.9", 1},
        {"de, en;q=0.5, ja;q=0.4", 1},
        {"ja;q=0.5, en;q=0.8", 1},
        {"en;q=0, ja", 0},
        {"EN-us", 1},
        {"english", 0},
        {"ja, en", 0},
        {"en;q=nonsense, ja;q=0.1", 0},
        {"*", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(header_language(cases[i].field, offers), cases[i].expected);
}

static void entity_tags_are_compared(void **state)
{
    assert_true(header_has_etag("\"a\", \"b\"", "\"b\"", false));
    assert_true(header_has_etag("*", "\"b\"", false));
    assert_false(header_has_etag("W/\"b\"", "\"b\"", false));
    assert_true(header_has_etag("W/\"b\"", "\"b\"", true));
    assert_false(header_has_etag("\"bb\"", "\"b\"", true));
    assert_false(header_has_etag(NULL, "\"b\"", true));
}

static void codings_are_accepted_by_name_and_quality(void **state)
{
    assert_true(header_accepts_coding("br, gzip", "gzip"));
    assert_true(header_accepts_coding("GZIP;q=0.1", "gzip"));
    assert_false(header_accepts_coding("gzip;q=0", "gzip"));
    assert_false(header_accepts_coding("identity", "gzip"));
    assert_false(header_accepts_coding(NULL, "gzip"));
}

static void dates_go_both_ways(void **state)
{
    char text[HTTP_DATE_SIZE];
    int64_t seconds = 0;
    http_date(784111777, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_true(http_date_parse(text, &seconds));
    assert_int_equal(seconds, 784111777);
    assert_false(http_date_parse("Sun, 06 Nox 1994 08:49:37 GMT", &seconds));
    assert_false(http_date_parse("yesterday", &seconds));
    assert_false(http_date_parse("Sunday, 06-Nov-94 08:49:37 GMT", &seconds));
}

static void paths_are_decoded_and_traps_refused(void **state)
{
    static const char *const traps[] = {
        "",    "a",    "/..",   "/a/../b", "/%2e%2e/x", "/.",     "/a%2fb", "/a%00b",
        "/a%", "/a%4", "/a%zz", "/%ff",    "/a%5cb",    "/a%0ab", "/a\\b",  "/%c0%ae",
    };
    char out[64];
    assert_true(url_path("/a%20b/%e3%81%82.js", out));
    assert_string_equal(out, "/a b/あ.js");
    assert_true(url_path("//a/", out));
    assert_string_equal(out, "//a/");
    assert_true(url_path("/...", out));
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
        if (url_path(traps[i], out))
            fail_msg("accepted: %s", traps[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_divided_outside_quotes),
        cmocka_unit_test(parameters_are_found_and_unquoted),
        cmocka_unit_test(the_language_is_the_one_liked_best),
        cmocka_unit_test(entity_tags_are_compared),
        cmocka_unit_test(codings_are_accepted_by_name_and_quality),
        cmocka_unit_test(dates_go_both_ways),
        cmocka_unit_test(paths_are_decoded_and_traps_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
