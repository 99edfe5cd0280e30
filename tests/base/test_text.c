/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/text.h"

static bool valid(const char *text, size_t size)
{
    return utf8_valid((struct bytes){(const uint8_t *)text, size});
}

static void only_shortest_forms_of_real_characters_are_utf8(void **state)
{
    assert_true(valid("", 0));
    assert_true(valid("a\0b", 3));
    assert_true(valid("\xc2\x80\xdf\xbf", 4));
    assert_true(valid("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12));
    assert_true(valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8));

    static const char *const broken[] = {
        "\x80",         "\xc2",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xe3\x81",     "\xff",         "\xe3\x28\xa1",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_false(valid(broken[i], strlen(broken[i])));
}

static void every_code_point_survives_encoding(void **state)
{
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point += 7) {
        char text[4];
        uint32_t back = 0;
        size_t length = utf8_write(code_point, text);
        bool real = code_point <= 0x10ffff && (code_point < 0xd800 || code_point >= 0xe000);
        assert_int_equal(length > 0, real);
        if (real) {
            assert_int_equal(utf8_decode((struct bytes){(uint8_t *)text, length}, &back), length);
            assert_int_equal(back, code_point);
        }
    }
}

static void trimming_knows_the_wide_space(void **state)
{
    assert_bytes_equal(text_trim(bytes_of(" \t\xe3\x80\x80\xe3\x81\x82 b\xc2\xa0\r\n")),
                       bytes_of("\xe3\x81\x82 b"));
    assert_int_equal(text_trim(bytes_of(" \xe3\x80\x80 ")).size, 0);
    assert_int_equal(utf8_count(bytes_of("\xe3\x81\x82"
                                         "b\xf0\x9f\x8e\x89")),
                     3);
}

static void numbers_are_whole_or_refused(void **state)
{
    int64_t whole;
    double real;
    assert_true(text_int("-12", -20, 20, &whole) && whole == -12);
    assert_false(text_int("12 ", 0, 20, &whole));
    assert_false(text_int(" 12", 0, 20, &whole));
    assert_false(text_int("", 0, 20, &whole));
    assert_false(text_int("99999999999999999999", 0, INT64_MAX, &whole));
    assert_false(text_int("21", 0, 20, &whole));
    assert_true(text_real("1.25", 0, 2, &real) && real == 1.25);
    assert_false(text_real("nan", 0, 2, &real));
    assert_false(text_real("0x1", 0, 2, &real));
    assert_false(text_real("1,5", 0, 2, &real));
    assert_false(text_real("1e999", 0, 2, &real));
}

static void what_is_shown_is_cut_between_characters_and_steers_no_terminal(void **state)
{
    char out[8];
    assert_string_equal(text_show(bytes_of("a\033[2J\xc2\x9b\xff"), out, sizeof out), "a?[2J??");
    assert_string_equal(
        text_show(bytes_of("\xe3\x81\x82\xe3\x81\x84\xe3\x81\x86"), out, sizeof out),
        "\xe3\x81\x82\xe3\x81\x84");
    assert_string_equal(text_show((struct bytes){0}, out, sizeof out), "");
    assert_string_equal(text_show(bytes_of("abc"), out, 1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_shortest_forms_of_real_characters_are_utf8),
        cmocka_unit_test(what_is_shown_is_cut_between_characters_and_steers_no_terminal),
        cmocka_unit_test(every_code_point_survives_encoding),
        cmocka_unit_test(trimming_knows_the_wide_space),
        cmocka_unit_test(numbers_are_whole_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
