/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "http/range.h"

static void ranges_mean_what_the_standard_says(void **state)
{
    static const struct {
        const char *field;
        uint64_t total;
        enum http_range expected;
        uint64_t first, size;
    } cases[] = {
        {NULL, 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-3", 10, HTTP_RANGE_PART, 0, 4},
        {"Bytes=0-3", 10, HTTP_RANGE_PART, 0, 4},
        {"bytes=3-", 10, HTTP_RANGE_PART, 3, 7},
        {"bytes=-3", 10, HTTP_RANGE_PART, 7, 3},
        {"bytes=-30", 10, HTTP_RANGE_PART, 0, 10},
        {"bytes=9-100", 10, HTTP_RANGE_PART, 9, 1},
        {"bytes=0-18446744073709551615", 10, HTTP_RANGE_PART, 0, 10},
        {"bytes=0-99999999999999999999999", 10, HTTP_RANGE_PART, 0, 10},
        {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5-3", 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=-", 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=", 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=a-b", 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-1,3-4", 10, HTTP_RANGE_NONE, 0, 0},
        {"lines=0-1", 10, HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-1 ", 10, HTTP_RANGE_NONE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t first = 0, size = 0;
        enum http_range range = http_range_parse(cases[i].field, cases[i].total, &first, &size);
        if (range != cases[i].expected || first != cases[i].first || size != cases[i].size)
            fail_msg("%s of %d", cases[i].field, (int)cases[i].total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges_mean_what_the_standard_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
