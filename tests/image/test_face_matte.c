/* SPDX-License-Identifier: Apache-2.0 */
#include "image/face_matte.h"

#include <math.h>
#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "support/average_head.h"
#include "support/test.h"

enum { SIDE = 200 };

static struct face *average_face(float x, float y)
{
    struct face *face = xcalloc(1, sizeof *face);
    average_head(face, x, y, 7);
    return face;
}

static struct picture nobody(void)
{
    struct picture matte = picture_new(SIDE, SIDE, PICTURE_GREY);
    for (int y = 0; y < SIDE; y++)
        memset(picture_row(&matte, y), 0, SIDE);
    return matte;
}

static void a_face_that_was_missed_becomes_part_of_the_person(void **state)
{
    AUTO(mem_free) struct face *face = average_face(100, 100);
    AUTO(picture_dispose) struct picture matte = nobody();
    assert_true(face_matte_share(&matte, face) == 0);
    face_matte_fill(&matte, face);
    assert_true(face_matte_share(&matte, face) > 0.8f);
    assert_int_equal(picture_row(&matte, 100)[100], 255);
    assert_int_equal(picture_row(&matte, 100)[10], 0); /* and no more than the face */
    assert_int_equal(picture_row(&matte, 5)[100], 0);
    for (int x = 0; x < SIDE - 1; x++) /* with a soft edge */
        assert_in_range(abs(picture_row(&matte, 100)[x] - picture_row(&matte, 100)[x + 1]), 0, 50);
}

static void what_is_the_person_already_stays(void **state)
{
    AUTO(mem_free) struct face *face = average_face(100, 100);
    AUTO(picture_dispose) struct picture matte = nobody();
    memset(matte.pixels, 201, matte.stride * SIDE);
    face_matte_fill(&matte, face);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            assert_true(picture_row(&matte, y)[x] >= 201);
}

static void a_face_beyond_the_picture_draws_nothing_outside(void **state)
{
    static const float places[][2] = {{-30, 20}, {230, 250}, {100, -500}, {1e9f, 0}};
    AUTO(picture_dispose) struct picture matte = nobody();
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO(mem_free) struct face *face = average_face(places[i][0], places[i][1]);
        face_matte_fill(&matte, face);
    }
    AUTO(mem_free) struct face *gone = average_face(-900, 0);
    assert_true(face_matte_share(&matte, gone) == 1); /* nothing of it can be missed */
}

static void places_that_are_no_numbers_draw_nothing(void **state)
{
    AUTO(mem_free) struct face *face = average_face(100, 100);
    AUTO(picture_dispose) struct picture matte = nobody();
    face->points[10].x = NAN; /* on the oval */
    face_matte_fill(&matte, face);
    assert_int_equal(picture_row(&matte, 100)[100], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_face_that_was_missed_becomes_part_of_the_person),
        cmocka_unit_test(what_is_the_person_already_stays),
        cmocka_unit_test(a_face_beyond_the_picture_draws_nothing_outside),
        cmocka_unit_test(places_that_are_no_numbers_draw_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
