/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdlib.h>

#include "base/auto.h"
#include "image/surround.h"

/* A frame of 100 × 60 whose photo, a ramp from left to right, covers x 20..79. */
static const struct box covered = {20, 0, 60, 60};

static struct picture ramp(void)
{
    struct picture frame = picture_new(100, 60, PICTURE_RGB);
    for (int y = 0; y < frame.height; y++)
        for (int x = 0; x < frame.width * 3; x++)
            picture_row(&frame, y)[x] = (uint8_t)(x / 3 * 2 + 20);
    return frame;
}

static void the_photo_itself_stays_as_it_is(void **state)
{
    AUTO(picture_dispose) struct picture before = ramp();
    AUTO(picture_dispose) struct picture frame = ramp();
    surround_fill(&frame, covered);
    for (int y = 0; y < frame.height; y++)
        assert_memory_equal(picture_row(&frame, y) + 60, picture_row(&before, y) + 60, 180);
}

static void beside_it_there_is_no_seam_and_no_streak(void **state)
{
    AUTO(picture_dispose) struct picture frame = ramp();
    surround_fill(&frame, covered);
    const uint8_t *row = picture_row(&frame, 30);
    for (int x = 0; x < frame.width - 1; x++)
        assert_in_range(abs(row[3 * x] - row[3 * x + 3]), 0, 4);
}

/* A face in the middle of a wall: the wall goes on, the face does not come again. */
static void nothing_of_the_photo_is_seen_a_second_time(void **state)
{
    enum { WIDTH = 640, HEIGHT = 360, WALL = 180, FACE = 40, LIGHT = 10 };
    AUTO(picture_dispose) struct picture frame = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    struct box photo = {200, 0, 240, HEIGHT};
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            bool face = abs(x - WIDTH / 2) < 80 && abs(y - HEIGHT / 2) < 100;
            bool dress = y > HEIGHT - 60;
            memset(picture_row(&frame, y) + 3 * x, face || dress ? FACE : WALL, 3);
        }
    surround_fill(&frame, photo);
    for (int y = 0; y < HEIGHT; y++) {
        const uint8_t *row = picture_row(&frame, y);
        assert_in_range(abs(row[3 * 199] - row[3 * 200]), 0, 12); /* in the colours of the border */
        assert_in_range(abs(row[3 * 440] - row[3 * 439]), 0, 12);
        for (int x = 0; x < 199 && y < 100; x++) /* and never darker than the fall of the light */
            assert_true(row[3 * x] > WALL * 3 / 4 - LIGHT);
    }
    /* Beside the face and above it the wall looks the same. */
    for (int x = 0; x < 200; x++)
        assert_in_range(abs(picture_row(&frame, 60)[3 * x] - picture_row(&frame, 130)[3 * x]), 0,
                        LIGHT + 10);
    /* Far out there are no edges left, not even the dress's. */
    for (int y = 0; y < HEIGHT - 1; y++)
        assert_in_range(abs(picture_row(&frame, y)[3 * 60] - picture_row(&frame, y + 1)[3 * 60]), 0,
                        5);
}

/* A face that ends at the chin gets no bare body: far below nothing is as light or as red. */
static void below_it_the_frame_sinks_into_the_dark(void **state)
{
    enum { WIDTH = 180, HEIGHT = 320, END = 190 };
    static const uint8_t skin[3] = {220, 160, 130};
    AUTO(picture_dispose) struct picture frame = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            memcpy(picture_row(&frame, y) + 3 * x, skin, 3);
    surround_fill(&frame, (struct box){0, 0, WIDTH, END});
    const uint8_t *edge = picture_row(&frame, END) + 3 * (WIDTH / 2);
    const uint8_t *far = picture_row(&frame, HEIGHT - 1) + 3 * (WIDTH / 2);
    assert_in_range(edge[0], skin[0] - 8, skin[0] + 2);
    assert_true(far[0] < skin[0] / 2);
    assert_true((far[0] - far[2]) * skin[0] < (skin[0] - skin[2]) * far[0]);
    for (int y = END; y < HEIGHT; y++) {
        int step = picture_row(&frame, y)[90 * 3] - picture_row(&frame, y - 1)[90 * 3];
        assert_in_range(step + 8, 0, 12);
    }
}

static void a_frame_inside_the_photo_is_left_alone(void **state)
{
    AUTO(picture_dispose) struct picture photo = picture_new(200, 200, PICTURE_RGB);
    AUTO(picture_dispose) struct picture before = ramp();
    AUTO(picture_dispose) struct picture frame = ramp();
    struct box all = surround_covered((struct box){10, 10, 100, 60}, &photo, &frame);
    assert_true(all.x == 0 && all.y == 0 && all.width == 100 && all.height == 60);
    surround_fill(&frame, all);
    for (int y = 0; y < frame.height; y++)
        assert_memory_equal(picture_row(&frame, y), picture_row(&before, y), 300);
}

static void what_the_photo_covers_is_told_in_the_frames_pixels(void **state)
{
    AUTO(picture_dispose) struct picture photo = picture_new(60, 60, PICTURE_RGB);
    AUTO(picture_dispose) struct picture frame = picture_new(200, 120, PICTURE_RGB);
    struct box box = surround_covered((struct box){-20, 0, 100, 60}, &photo, &frame);
    assert_true(box.x == 40 && box.y == 0 && box.width == 120 && box.height == 120);
}

static void nobody_stands_outside_the_photo(void **state)
{
    AUTO(picture_dispose) struct picture matte = picture_new(100, 60, PICTURE_GREY);
    for (int y = 0; y < matte.height; y++)
        memset(picture_row(&matte, y), 255, 100);
    surround_clear(&matte, covered);
    assert_int_equal(picture_row(&matte, 30)[10], 0);
    assert_int_equal(picture_row(&matte, 30)[90], 0);
    assert_int_equal(picture_row(&matte, 30)[50], 255);
    assert_int_equal(picture_row(&matte, 0)[50], 255); /* the frame's own border is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_photo_itself_stays_as_it_is),
        cmocka_unit_test(beside_it_there_is_no_seam_and_no_streak),
        cmocka_unit_test(nothing_of_the_photo_is_seen_a_second_time),
        cmocka_unit_test(below_it_the_frame_sinks_into_the_dark),
        cmocka_unit_test(a_frame_inside_the_photo_is_left_alone),
        cmocka_unit_test(what_the_photo_covers_is_told_in_the_frames_pixels),
        cmocka_unit_test(nobody_stands_outside_the_photo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
