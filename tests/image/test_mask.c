/* SPDX-License-Identifier: Apache-2.0 */
/* What a network answers is not believed: it may come from another process. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include "base/auto.h"
#include "image/cutter_internal.h"
#include "media/picture.h"

static bool finish(enum tensor_type type, int rank, const int64_t dims[4], size_t bytes)
{
    struct error err;
    AUTO(cut_dispose) struct cut cut = {.width = 16, .height = 16};
    AUTO(picture_dispose) struct picture mask = {0};
    struct tensor *answer = &cut.results[0];
    *answer = (struct tensor){.type = type, .rank = rank, .data = calloc(1, bytes)};
    memcpy(answer->dims, dims, sizeof *dims * 4);
    return cutter_birefnet.finish(&cut, &mask, &err) && mask.width == (int)dims[3] &&
           mask.height == (int)dims[2];
}

static void a_mask_of_either_precision_is_taken(void **state)
{
    assert_true(finish(TENSOR_F32, 4, (int64_t[]){1, 1, 8, 16}, 512));
    assert_true(finish(TENSOR_F16, 4, (int64_t[]){1, 1, 8, 16}, 256));
}

static void answers_with_less_in_them_than_they_say_are_refused(void **state)
{
    assert_false(finish(TENSOR_F32, 4, (int64_t[]){1, 0, 8, 16}, 1));
    assert_false(finish(TENSOR_F32, 4, (int64_t[]){0, 1, 8, 16}, 1));
    assert_false(finish(TENSOR_F32, 4, (int64_t[]){INT64_C(1) << 40, 2, 8, 16}, 1));
    assert_false(finish(TENSOR_U8, 4, (int64_t[]){1, 1, 8, 16}, 128));
    assert_false(finish(TENSOR_F32, 4, (int64_t[]){1, 1, 0, 16}, 1));
    assert_false(finish(TENSOR_F32, 4, (int64_t[]){1, 1, 1, 5000}, 20000));
    assert_false(finish(TENSOR_F32, 1, (int64_t[]){16, 0, 0, 0}, 64));
}

static void logits_become_what_the_sigmoid_makes_of_them(void **state)
{
    enum { COUNT = 4001 };
    struct error err;
    AUTO(picture_dispose) struct picture mask = {0};
    AUTO(mem_free) float *values = calloc(COUNT, sizeof *values);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(i - 2000) / 100;
    values[0] = -INFINITY;
    values[COUNT - 1] = INFINITY;
    struct tensor tensor = {TENSOR_F32, 4, {1, 1, 1, COUNT}, values};
    assert_true(mask_is_logits(&tensor));
    assert_ok(mask_make(&tensor, 0, true, &mask, &err), &err);
    for (int i = 0; i < COUNT; i++) {
        double exact = 255 / (1 + exp(-(double)values[i]));
        assert_true(fabs(mask.pixels[i] - exact) <= 0.501);
    }
    values[7] = NAN;
    picture_dispose(&mask);
    assert_false(mask_make(&tensor, 0, true, &mask, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_of_either_precision_is_taken),
        cmocka_unit_test(answers_with_less_in_them_than_they_say_are_refused),
        cmocka_unit_test(logits_become_what_the_sigmoid_makes_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
