/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/mem.h"
#include "http/disposition.h"

static void assert_header(const char *name, const char *expected)
{
    AUTO(mem_free) char *header = disposition_attachment(name);
    assert_string_equal(header, expected);
}

static void a_plain_name_is_written_once(void **state)
{
    (void)state;
    assert_header("2026-11-23 Happy birthday!.mp4",
                  "attachment; filename=\"2026-11-23 Happy birthday!.mp4\"");
}

static void other_letters_come_whole_to_whoever_can_read_them(void **state)
{
    (void)state;
    assert_header("2026-11-23 おめ.mp4", "attachment; filename=\"2026-11-23.mp4\"; "
                                         "filename*=UTF-8''2026-11-23%20%E3%81%8A%E3%82%81.mp4");
    assert_header("Café for two.mp4", "attachment; filename=\"Caf for two.mp4\"; "
                                      "filename*=UTF-8''Caf%C3%A9%20for%20two.mp4");
}

static void nothing_ends_the_header_early(void **state)
{
    (void)state;
    assert_header("a\"; x=\\%\r\n.mp4", "attachment; filename=\"a; x=.mp4\"; "
                                        "filename*=UTF-8''a%22%3B%20x%3D%5C%25%0D%0A.mp4");
    assert_null(disposition_attachment("\xff.mp4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_name_is_written_once),
        cmocka_unit_test(other_letters_come_whole_to_whoever_can_read_them),
        cmocka_unit_test(nothing_ends_the_header_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
