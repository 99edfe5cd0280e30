/* SPDX-License-Identifier: Apache-2.0 */
#include "video/teeth.h"

#include <math.h>

#include "support/test.h"

static const float mm = 3; /* px */

static float light_at(const struct teeth *teeth, float x_mm, float up_mm)
{
    struct tooth_hit hit = teeth_at(teeth, x_mm * mm, -up_mm * mm);
    return hit.cover * hit.shade;
}

/* Of the two front teeth and those beside them, 3 mm above the edge. */
static float mean_light(const struct teeth *teeth, float from_mm, float to_mm)
{
    float sum = 0, count = 0;
    for (float x = from_mm; x <= to_mm; x += 0.25f, count++)
        sum += light_at(teeth, x, 3);
    return sum / count;
}

static void a_row_ends_at_its_biting_edge(void **state)
{
    struct teeth upper = teeth_new(true, mm, 0), lower = teeth_new(false, mm, 0);
    assert_true(teeth_at(&upper, 3 * mm, -3 * mm).cover > 0.9f);
    assert_true(teeth_at(&upper, 3 * mm, 2 * mm).cover < 0.1f);
    assert_true(teeth_at(&lower, 2 * mm, 3 * mm).cover > 0.9f);
    assert_true(teeth_at(&lower, 2 * mm, -2 * mm).cover < 0.1f);
    assert_true(teeth_at(&upper, 100 * mm, -3 * mm).cover == 0);
    teeth_dispose(&upper);
    teeth_dispose(&lower);
}

static void teeth_are_no_slab(void **state)
{
    struct teeth teeth = teeth_new(true, mm, 0);
    /* Each has a body and a shadow beside its neighbour; towards the back all grow darker. */
    assert_true(light_at(&teeth, 0, 3) < 0.92f * light_at(&teeth, 4, 3));
    assert_true(light_at(&teeth, 8.6f, 3) < 0.95f * light_at(&teeth, 4, 3));
    assert_true(mean_light(&teeth, 14, 18) < 0.85f * mean_light(&teeth, 0, 4));
    assert_true(mean_light(&teeth, 19, 23) < 0.70f * mean_light(&teeth, 0, 4));
    teeth_dispose(&teeth);
}

static void the_row_is_as_symmetric_as_a_head_that_looks_ahead(void **state)
{
    struct teeth teeth = teeth_new(true, mm, 0);
    for (float x = 1; x < 22; x += 1)
        assert_true(fabsf(light_at(&teeth, x, 3) - light_at(&teeth, -x, 3)) < 0.06f);
    teeth_dispose(&teeth);
}

static void the_row_turns_with_the_head(void **state)
{
    /* To the picture's right: the far half of the row is there, and turned away. */
    struct teeth teeth = teeth_new(true, mm, 0.5f);
    assert_true(mean_light(&teeth, 8, 11) < 0.9f * mean_light(&teeth, -11, -8));
    struct teeth other = teeth_new(true, mm, -0.5f);
    for (float x = -20; x <= 20; x += 1)
        assert_true(fabsf(light_at(&teeth, x, 3) - light_at(&other, -x, 3)) < 0.1f);
    teeth_dispose(&teeth);
    teeth_dispose(&other);
}

static void tiny_faces_have_teeth_too(void **state)
{
    struct teeth teeth = teeth_new(true, 0.4f, 0.7f);
    float most = 0;
    for (float x = -10; x < 10; x += 0.5f)
        most = fmaxf(most, teeth_at(&teeth, x, -1.2f).cover);
    assert_true(most > 0.9f);
    teeth_dispose(&teeth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_ends_at_its_biting_edge),
        cmocka_unit_test(teeth_are_no_slab),
        cmocka_unit_test(the_row_is_as_symmetric_as_a_head_that_looks_ahead),
        cmocka_unit_test(the_row_turns_with_the_head),
        cmocka_unit_test(tiny_faces_have_teeth_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
