/* SPDX-License-Identifier: Apache-2.0 */
#include "image/loose.h"

#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "image/matte.h"
#include "support/test.h"

enum { SIDE = 192, MIDDLE = SIDE / 2 };

static void paint(struct picture *matte, struct box box, int value)
{
    for (int y = (int)box.y; y < (int)(box.y + box.height); y++)
        memset(picture_row(matte, y) + (int)box.x, value, (size_t)box.width);
}

/* A person with a soft rim, a scrap of background beside it and another person's half. */
static struct picture person_and_scraps(void)
{
    struct picture matte = picture_new(SIDE, SIDE, PICTURE_GREY);
    paint(&matte, (struct box){0, 0, SIDE, SIDE}, 0);
    paint(&matte, (struct box){60, 30, 72, 162}, 120);
    paint(&matte, (struct box){64, 34, 64, 158}, 255);
    paint(&matte, (struct box){132, 150, 60, 30}, 90);
    paint(&matte, (struct box){4, 40, 20, 100}, 255);
    return matte;
}

static struct face *face_at(float x, float y)
{
    struct face *face = xcalloc(1, sizeof *face);
    for (int i = 0; i < FACE_POINTS; i++)
        face->points[i] = (struct point3){x, y, 0};
    return face;
}

static void scraps_beside_the_person_go_and_soft_edges_stay(void **state)
{
    (void)state;
    AUTO(mem_free) struct face *face = face_at(MIDDLE, 70);
    AUTO(picture_dispose) struct picture matte = person_and_scraps();
    matte_drop_loose(&matte, face);
    for (int y = 34; y < SIDE; y++)
        for (int x = 64; x < 128; x++)
            assert_int_equal(picture_row(&matte, y)[x], 255);
    for (int y = 34; y < SIDE; y++) /* hair */
        assert_int_equal(picture_row(&matte, y)[61], 120);
    assert_int_equal(picture_row(&matte, 165)[170], 0);
    assert_int_equal(picture_row(&matte, 90)[10], 0);
}

static void where_no_person_is_nothing_is_taken(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture before = person_and_scraps();
    AUTO(picture_dispose) struct picture matte = person_and_scraps();
    AUTO(mem_free) struct face *beside = face_at(40, 20);
    AUTO(mem_free) struct face *outside = face_at(-5, 900);
    matte_drop_loose(&matte, beside);
    matte_drop_loose(&matte, outside);
    for (int y = 0; y < SIDE; y++)
        assert_memory_equal(picture_row(&matte, y), picture_row(&before, y), SIDE);
}

static void the_inside_ends_some_pixels_before_the_edge(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture matte = person_and_scraps();
    AUTO(picture_dispose) struct picture inside = matte_inside(&matte, 3);
    const uint8_t *row = picture_row(&inside, 100);
    assert_int_equal(row[64 + 2], 120);
    assert_int_equal(row[64 + 3], 255);
    assert_int_equal(row[127 - 3], 255);
    assert_int_equal(row[127 - 2], 120);
    assert_int_equal(picture_row(&inside, 34 + 2)[MIDDLE], 120);
    assert_int_equal(picture_row(&inside, SIDE - 1)[MIDDLE], 255); /* the frame is no edge */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scraps_beside_the_person_go_and_soft_edges_stay),
        cmocka_unit_test(where_no_person_is_nothing_is_taken),
        cmocka_unit_test(the_inside_ends_some_pixels_before_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
