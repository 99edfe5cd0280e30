/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "http/router.h"

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/jobs"},
    {.method = HTTP_POST, .pattern = "/jobs"},
    {.method = HTTP_GET, .pattern = "/jobs/{id}"},
    {.method = HTTP_DELETE, .pattern = "/jobs/{id}"},
    {.method = HTTP_GET, .pattern = "/jobs/{id}/parts/{part}"},
    {.method = HTTP_GET, .pattern = "/files/{path...}"},
};
enum { COUNT = sizeof routes / sizeof *routes };

static struct http_match find(enum http_method method, const char *path)
{
    return http_route_find(routes, COUNT, method, path);
}

static void paths_find_their_routes(void **state)
{
    assert_ptr_equal(find(HTTP_GET, "/jobs").route, &routes[0]);
    assert_ptr_equal(find(HTTP_POST, "/jobs").route, &routes[1]);
    assert_ptr_equal(find(HTTP_HEAD, "/jobs").route, &routes[0]);
    assert_ptr_equal(find(HTTP_DELETE, "/jobs/7").route, &routes[3]);
    struct http_match match = find(HTTP_GET, "/jobs/7/parts/9a");
    assert_ptr_equal(match.route, &routes[4]);
    assert_int_equal(match.params.count, 2);
    assert_memory_equal(match.params.items[0].value, "7", 1);
    assert_int_equal(match.params.items[0].value_size, 1);
    assert_memory_equal(match.params.items[1].value, "9a", 2);
    match = find(HTTP_GET, "/files/a/b");
    assert_ptr_equal(match.route, &routes[5]);
    assert_memory_equal(match.params.items[0].value, "a/b", 4);
    assert_ptr_equal(find(HTTP_GET, "/files/").route, &routes[5]);
}

static void what_is_not_there_is_told_from_what_is_not_allowed(void **state)
{
    static const char *const unknown[] = {
        "/", "/job", "/jobs/", "/jobs/7/", "/jobs//parts/1", "/jobs/7/parts/", "/files", ""};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_null(find(HTTP_GET, unknown[i]).route);
        assert_false(find(HTTP_GET, unknown[i]).path_known);
    }
    assert_false(find(HTTP_PUT, "/files/a").path_known);
    struct http_match match = find(HTTP_PUT, "/jobs/7");
    char allowed[80];
    assert_null(match.route);
    assert_true(match.path_known);
    http_allowed_text(match.allowed, allowed, sizeof allowed);
    assert_string_equal(allowed, "GET, HEAD, DELETE, OPTIONS");
}

static void what_takes_every_path_takes_none_that_others_have(void **state)
{
    static const struct http_route page[] = {{.method = HTTP_POST, .pattern = "/jobs"},
                                             {.method = HTTP_GET, .pattern = "/{path...}"}};
    struct http_match match = http_route_find(page, 2, HTTP_GET, "/jobs");
    assert_null(match.route);
    assert_true(match.path_known);
    assert_ptr_equal(http_route_find(page, 2, HTTP_POST, "/jobs").route, &page[0]);
    assert_ptr_equal(http_route_find(page, 2, HTTP_GET, "/job").route, &page[1]);
}

static void methods_have_names(void **state)
{
    assert_int_equal(http_method_parse("DELETE"), HTTP_DELETE);
    assert_int_equal(http_method_parse("delete"), HTTP_OTHER);
    assert_int_equal(http_method_parse("BREW"), HTTP_OTHER);
    assert_string_equal(http_method_name(HTTP_PATCH), "PATCH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_routes),
        cmocka_unit_test(what_is_not_there_is_told_from_what_is_not_allowed),
        cmocka_unit_test(what_takes_every_path_takes_none_that_others_have),
        cmocka_unit_test(methods_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
