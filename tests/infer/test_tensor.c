/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>

#include "infer/tensor.h"

static void every_half_survives_the_way_through_float(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 0x10000; i++) {
        bool is_nan = (i & 0x7c00) == 0x7c00 && (i & 0x3ff);
        uint16_t back = float_to_half(half_to_float((uint16_t)i));
        if (is_nan)
            assert_true(isnan(half_to_float(back)));
        else
            assert_int_equal(back, i);
    }
}

static void floats_round_to_the_nearest_half(void **state)
{
    (void)state;
    assert_int_equal(float_to_half(1.0f), 0x3c00);
    assert_int_equal(float_to_half(-2.0f), 0xc000);
    assert_int_equal(float_to_half(65504.0f), 0x7bff);
    assert_int_equal(float_to_half(65520.0f), 0x7c00);
    assert_int_equal(float_to_half(1e9f), 0x7c00);
    assert_int_equal(float_to_half(0x1p-24f), 1);
    assert_int_equal(float_to_half(0x1p-26f), 0);
    assert_int_equal(float_to_half(1.0f + 0x1p-11f), 0x3c00); /* a tie goes to the even one */
    assert_int_equal(float_to_half(1.0f + 0x1.8p-10f), 0x3c02);
}

static void impossible_dimensions_count_as_nothing(void **state)
{
    (void)state;
    assert_int_equal(tensor_count(3, (int64_t[TENSOR_RANK]){2, 3, 4}), 24);
    assert_int_equal(tensor_count(0, (int64_t[TENSOR_RANK]){0}), 1);
    assert_int_equal(tensor_count(2, (int64_t[TENSOR_RANK]){-1, 4}), 0);
    assert_int_equal(tensor_count(2, (int64_t[TENSOR_RANK]){INT64_MAX, 4}), 0);
    assert_int_equal(tensor_count(2, (int64_t[TENSOR_RANK]){0, 4}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_survives_the_way_through_float),
        cmocka_unit_test(floats_round_to_the_nearest_half),
        cmocka_unit_test(impossible_dimensions_count_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
