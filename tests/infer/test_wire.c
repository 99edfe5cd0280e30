/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "infer/wire_internal.h"

enum { ROOM = 4096 };

static bool fits(struct wire_tensor tensor, size_t *out_bytes)
{
    return wire_tensor_check(&tensor, ROOM, out_bytes);
}

static void what_lies_within_the_memory_is_taken(void **state)
{
    size_t bytes;
    assert_true(fits((struct wire_tensor){TENSOR_F32, 4, {1, 1, 16, 64}, 0}, &bytes));
    assert_int_equal(bytes, ROOM);
    assert_true(fits((struct wire_tensor){TENSOR_U8, 1, {64}, ROOM - 64}, &bytes));
    assert_int_equal(bytes, 64);
    assert_true(fits((struct wire_tensor){TENSOR_I64, 0, {0}, 0}, &bytes)); /* a scalar */
    assert_int_equal(bytes, 8);
    assert_true(fits((struct wire_tensor){TENSOR_F16, 2, {0, 5}, 64}, &bytes)); /* empty */
    assert_int_equal(bytes, 0);
}

/* Sizes whose product is more than any number, so that it could pass for nothing at all. */
static void shapes_that_cannot_be_are_refused(void **state)
{
    static const struct wire_tensor cases[] = {
        {TENSOR_F32, 4, {1, 1, 16, 65}, 0},
        {TENSOR_U8, 1, {65}, ROOM - 64},
        {TENSOR_U8, 1, {1}, ROOM + 64},
        {TENSOR_U8, 1, {1}, 3},
        {TENSOR_U8, 1, {-1}, 0},
        {TENSOR_U8, 9, {1}, 0},
        {TENSOR_U8, -1, {1}, 0},
        {TENSOR_OTHER, 1, {1}, 0},
        {99, 1, {1}, 0},
        {TENSOR_F32, 4, {INT64_C(1) << 40, 2, 16, 16}, 0},
        {TENSOR_F32, 4, {1, 1, INT64_C(1) << 32, INT64_C(1) << 32}, 0},
        {TENSOR_F32, 4, {INT64_MAX, INT64_MAX, 16, 16}, 0},
        {TENSOR_F32, 2, {INT64_C(1) << 61, 8}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bytes;
        if (fits(cases[i], &bytes))
            fail_msg("case %zu was taken for %zu bytes", i, bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lies_within_the_memory_is_taken),
        cmocka_unit_test(shapes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
