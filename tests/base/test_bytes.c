/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/bytes.h"

static void lines_come_off_the_front_without_their_ends(void **state)
{
    static const struct {
        const char *text;
        const char *lines[4];
    } cases[] = {
        {"", {NULL}},
        {"one", {"one"}},
        {"one\n", {"one"}},
        {"one\ntwo", {"one", "two"}},
        {"\n\nthree\n", {"", "", "three"}},
        {"dos\r\n", {"dos\r"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes rest = bytes_of(cases[i].text), line = {0};
        for (size_t j = 0; cases[i].lines[j]; j++) {
            assert_true(bytes_line(&rest, &line));
            assert_true(bytes_equal(line, bytes_of(cases[i].lines[j])));
        }
        assert_false(bytes_line(&rest, &line));
        assert_int_equal(rest.size, 0);
    }
}

static void a_zero_byte_ends_no_line(void **state)
{
    struct bytes rest = {(const uint8_t *)"a\0b\nc", 5}, line;
    (void)state;
    assert_true(bytes_line(&rest, &line));
    assert_int_equal(line.size, 3);
    assert_true(bytes_line(&rest, &line));
    assert_true(bytes_equal(line, bytes_of("c")));
}

static void integers_lie_high_byte_first_and_come_back(void **state)
{
    uint8_t room[14];
    (void)state;
    write_u16(room, 0x0102);
    write_u32(room + 2, 0xf3040506);
    write_u64(room + 6, UINT64_C(0xf708090a0b0c0d0e));
    for (size_t i = 0; i < sizeof room; i++)
        assert_int_equal(room[i] & 0x0f, i + 1);
    assert_int_equal(read_u16(room), 0x0102);
    assert_true(read_u32(room + 2) == 0xf3040506);
    assert_true(read_u64(room + 6) == UINT64_C(0xf708090a0b0c0d0e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_off_the_front_without_their_ends),
        cmocka_unit_test(a_zero_byte_ends_no_line),
        cmocka_unit_test(integers_lie_high_byte_first_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
