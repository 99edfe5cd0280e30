/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <time.h>

#include "api/video_name.h"
#include "base/mem.h"

static const int64_t noon_ms = INT64_C(1795435200000); /* 2026-11-23 12:00 UTC */

static void assert_name(const char *text, const char *expected)
{
    AUTO(mem_free) char *name = video_name(text, noon_ms, ".mp4");
    assert_string_equal(name, expected);
}

static void a_name_tells_the_day_and_the_words(void **state)
{
    (void)state;
    assert_name("Happy birthday!", "2026-11-23 Happy birthday!.mp4");
    assert_name("お誕生日おめでとう！", "2026-11-23 お誕生日おめでとう！.mp4");
    assert_name("  two\r\n\tlines　here ", "2026-11-23 two lines here.mp4");
}

static void no_system_refuses_it(void **state)
{
    (void)state;
    assert_name("../../etc/passwd", "2026-11-23 ....etcpasswd.mp4");
    assert_name("a\\b:c*d?e\"f<g>h|i", "2026-11-23 abcdefghi.mp4");
    assert_name("wait...", "2026-11-23 wait.mp4");
    assert_name("\xe2\x80\xae"
                "4pm.exe\x01",
                "2026-11-23 4pm.exe.mp4");
    assert_name("???", "2026-11-23.mp4");
    assert_name("", "2026-11-23.mp4");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    char text[4 * 100 + 1] = "", expected[4 * 40 + 32] = "2026-11-23 ";
    for (int i = 0; i < 100; i++)
        strcat(text, "🎂");
    for (int i = 0; i < 40; i++)
        strcat(expected, "🎂");
    assert_name(text, strcat(expected, ".mp4"));
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_tells_the_day_and_the_words),
        cmocka_unit_test(no_system_refuses_it),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
