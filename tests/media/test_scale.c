/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/auto.h"
#include "media/scale.h"

static struct picture halves(int width, int height)
{
    struct picture picture = picture_new(width, height, PICTURE_GREY);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            picture_row(&picture, y)[x] = x < width / 2 ? 40 : 200;
    return picture;
}

static void a_cover_shows_the_middle(void **state)
{
    AUTO(picture_dispose) struct picture wide = halves(400, 100);
    AUTO(picture_dispose) struct picture square = picture_cover(&wide, 50, 50);
    assert_int_equal(square.width, 50);
    assert_int_equal(square.height, 50);
    for (int y = 0; y < 50; y++) {
        assert_int_equal(picture_row(&square, y)[5], 40);
        assert_int_equal(picture_row(&square, y)[45], 200);
    }
    AUTO(picture_dispose) struct picture large = picture_cover(&wide, 800, 800);
    assert_int_equal(picture_row(&large, 799)[100], 40);
    assert_int_equal(picture_row(&large, 0)[700], 200);
}

static void a_blur_spreads_an_edge_and_keeps_what_is_flat(void **state)
{
    AUTO(picture_dispose) struct picture picture = halves(100, 60);
    picture_blur(&picture, 5);
    for (int y = 0; y < 60; y++) {
        const uint8_t *row = picture_row(&picture, y);
        assert_int_equal(row[0], 40);
        assert_int_equal(row[99], 200);
        assert_in_range(row[50], 100, 140);
        for (int x = 1; x < 100; x++)
            assert_true(row[x] >= row[x - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cover_shows_the_middle),
        cmocka_unit_test(a_blur_spreads_an_edge_and_keeps_what_is_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
