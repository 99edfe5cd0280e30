/* SPDX-License-Identifier: Apache-2.0 */
#include "video/backdrop.h"

#include <stdlib.h>
#include <string.h>

#include "support/test.h"
#include "video/frame420.h"

enum { SIDE = 64 };

static struct picture square_matte(void)
{
    struct picture matte = picture_new(SIDE, SIDE, PICTURE_GREY);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            picture_row(&matte, y)[x] = x > 20 && x < 44 && y > 20 ? 255 : 0;
    return matte;
}

/* A grey ramp from left to right; what the matte covers is white. */
static struct frame420 ramp(const struct picture *matte)
{
    struct frame420 frame = frame420_new(SIDE, SIDE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            frame.planes[0][y * frame.strides[0] + x] =
                picture_row(matte, y)[x] ? 235 : (uint8_t)(60 + x);
    for (int plane = 1; plane < 3; plane++)
        memset(frame.planes[plane], 128, (size_t)(frame.strides[plane] * SIDE / 2));
    return frame;
}

static void what_was_hidden_continues_what_is_around_it(void **state)
{
    struct picture matte = square_matte();
    struct frame420 frame = ramp(&matte), before = ramp(&matte);
    backdrop_fill(&frame, &matte);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint8_t luma = frame.planes[0][y * frame.strides[0] + x];
            if (picture_row(&matte, y)[x])
                assert_in_range(luma, 55, 130);
            else
                assert_int_equal(luma, before.planes[0][y * before.strides[0] + x]);
        }
    frame420_dispose(&frame);
    frame420_dispose(&before);
    picture_dispose(&matte);
}

static void a_person_who_covers_everything_is_left_alone(void **state)
{
    struct picture matte = picture_new(SIDE, SIDE, PICTURE_GREY);
    memset(matte.pixels, 255, matte.stride * SIDE);
    struct frame420 frame = ramp(&matte);
    backdrop_fill(&frame, &matte);
    assert_int_equal(frame.planes[0][100], 235);
    frame420_dispose(&frame);
    picture_dispose(&matte);
}

static void the_rim_covers_the_person_and_ends_softly(void **state)
{
    struct picture matte = square_matte();
    struct picture rim = backdrop_rim(&matte, 1);
    for (int x = 21; x < 44; x++)
        assert_int_equal(picture_row(&rim, 50)[x], 255);
    assert_int_equal(picture_row(&rim, 50)[4], 0);
    for (int x = 5; x < 20; x++)
        assert_true(picture_row(&rim, 50)[x] <= picture_row(&rim, 50)[x + 1]);
    picture_dispose(&rim);
    picture_dispose(&matte);
}

static void colours_come_back_from_yuv(void **state)
{
    struct picture picture = picture_new(16, 16, PICTURE_RGB), back = picture_new(16, 16, 3);
    struct frame420 frame = frame420_new(16, 16);
    static const uint8_t colours[][3] = {{255, 0, 0},   {0, 255, 0},     {0, 0, 255},
                                         {12, 200, 90}, {255, 255, 255}, {0, 0, 0}};
    for (size_t c = 0; c < sizeof colours / sizeof *colours; c++) {
        for (int y = 0; y < 16; y++)
            for (int x = 0; x < 16; x++)
                memcpy(picture_row(&picture, y) + 3 * x, colours[c], 3);
        frame420_from_picture(&picture, &frame);
        frame420_to_picture(&frame, &back);
        for (int i = 0; i < 3; i++)
            assert_true(abs(picture_row(&back, 7)[21 + i] - colours[c][i]) <= 3);
    }
    frame420_dispose(&frame);
    picture_dispose(&picture);
    picture_dispose(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_hidden_continues_what_is_around_it),
        cmocka_unit_test(a_person_who_covers_everything_is_left_alone),
        cmocka_unit_test(the_rim_covers_the_person_and_ends_softly),
        cmocka_unit_test(colours_come_back_from_yuv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
