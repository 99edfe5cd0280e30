/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "media/resample.h"

static struct picture filled(int width, int height, int channels, uint8_t value)
{
    struct picture picture = picture_new(width, height, channels);
    memset(picture.pixels, value, picture.stride * (size_t)height);
    return picture;
}

static struct picture ramp(int width, int height)
{
    struct picture picture = picture_new(width, height, PICTURE_RGB);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            uint8_t *pixel = picture_row(&picture, y) + (size_t)x * 3;
            pixel[0] = (uint8_t)(x * 255 / (width - 1));
            pixel[1] = (uint8_t)(y * 255 / (height - 1));
            pixel[2] = 7;
        }
    return picture;
}

static struct box whole(const struct picture *picture)
{
    return (struct box){0, 0, (float)picture->width, (float)picture->height};
}

static void a_flat_picture_stays_flat_at_every_scale(void **state)
{
    (void)state;
    const int sizes[][2] = {{1, 1}, {3, 700}, {64, 64}, {500, 2}, {129, 257}};
    AUTO(picture_dispose) struct picture from = filled(301, 203, PICTURE_RGB, 77);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int filter = 0; filter < 2; filter++) {
            AUTO(picture_dispose)
            struct picture to = picture_new(sizes[i][0], sizes[i][1], PICTURE_RGB);
            picture_resample(&from, whole(&from), (enum resample_filter)filter, &to);
            for (int y = 0; y < to.height; y++)
                for (int x = 0; x < 3 * to.width; x++)
                    assert_int_equal(picture_row(&to, y)[x], 77);
        }
}

static void the_same_size_gives_the_same_picture(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture from = ramp(97, 41);
    AUTO(picture_dispose) struct picture to = picture_new(97, 41, PICTURE_RGB);
    for (int filter = 0; filter < 2; filter++) {
        picture_resample(&from, whole(&from), (enum resample_filter)filter, &to);
        for (int y = 0; y < 41; y++)
            assert_memory_equal(picture_row(&to, y), picture_row(&from, y), 97 * 3);
    }
}

static void a_ramp_keeps_its_place_when_it_shrinks(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture from = ramp(512, 512);
    AUTO(picture_dispose) struct picture to = picture_new(64, 64, PICTURE_RGB);
    picture_resample(&from, whole(&from), RESAMPLE_CUBIC, &to);
    for (int i = 4; i < 60; i++) {
        int expected = (int)((i * 8 + 3.5) * 255 / 511);
        assert_in_range(picture_row(&to, 30)[3 * i] - expected + 2, 0, 4);
        assert_in_range(picture_row(&to, i)[3 * 30 + 1] - expected + 2, 0, 4);
    }
}

static void outside_of_the_picture_its_edge_goes_on(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture from = ramp(32, 32);
    AUTO(picture_dispose) struct picture to = picture_new(16, 16, PICTURE_RGB);
    const struct box far[] = {
        {-500, 5, 16, 16}, {900, 5, 16, 16}, {5, -700, 16, 16}, {5, 4000, 16, 16}};
    const int channel[] = {0, 0, 1, 1}, value[] = {0, 255, 0, 255};
    for (int i = 0; i < 4; i++) {
        picture_resample(&from, far[i], RESAMPLE_CUBIC, &to);
        for (int k = 0; k < 16; k++)
            assert_int_equal(picture_row(&to, k)[3 * k + channel[i]], value[i]);
    }
}

static void one_channel_and_four_work_as_well(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 4; channels += 3) {
        AUTO(picture_dispose) struct picture from = filled(20, 10, channels, 200);
        AUTO(picture_dispose) struct picture to = picture_new(7, 33, channels);
        picture_resample(&from, whole(&from), RESAMPLE_TRIANGLE, &to);
        assert_int_equal(picture_row(&to, 32)[7 * channels - 1], 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_picture_stays_flat_at_every_scale),
        cmocka_unit_test(the_same_size_gives_the_same_picture),
        cmocka_unit_test(a_ramp_keeps_its_place_when_it_shrinks),
        cmocka_unit_test(outside_of_the_picture_its_edge_goes_on),
        cmocka_unit_test(one_channel_and_four_work_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
