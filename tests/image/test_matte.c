/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "image/matte.h"
#include "image/photo.h"
#include "image/plain_matte.h"
#include "image/portrait.h"
#include "media/resample.h"

enum { SIDE = 1024 };

struct fixture {
    struct picture photo;  /* 1024² */
    struct picture coarse; /* 256², as a network gives it */
    struct picture plain;  /* what the plain guided filter makes of it */
};

static struct picture resized(const struct picture *from, int width, int height)
{
    struct picture to = picture_new(width, height, from->channels);
    struct box whole = {0, 0, (float)from->width, (float)from->height};
    picture_resample(from, whole, RESAMPLE_CUBIC, &to);
    return to;
}

/* A blurred silhouette of the person, 256 cells wide. */
static struct picture silhouette(const struct picture *photo, struct vision *vision)
{
    struct error err;
    AUTO(picture_dispose) struct picture matte = {0};
    assert_ok(vision_matte(vision, photo, &matte, &err), &err);
    AUTO(picture_dispose) struct picture small = resized(&matte, 96, 96);
    return resized(&small, 256, 256);
}

static int set_up(void **state)
{
    struct error err;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    AUTO(photos_close) struct photos *photos = photos_open(NULL, &err);
    assert_ok(photos, &err);
    AUTO(vision_close) struct vision *vision = vision_open(SOURCE_DIR "/models", &err);
    assert_ok(vision, &err);
    AUTO(picture_dispose) struct picture photo = {0};
    assert_ok(
        photos_decode(photos, SOURCE_DIR "/tests/data/photos/astronaut.jpg", 2048, &photo, &err),
        &err);
    fixture->photo = resized(&photo, SIDE, SIDE);
    fixture->coarse = silhouette(&fixture->photo, vision);
    fixture->plain = picture_new(SIDE, SIDE, PICTURE_GREY);
    AUTO(picture_dispose) struct picture large = picture_new(SIDE, SIDE, PICTURE_GREY);
    picture_resample(&fixture->coarse, (struct box){0, 0, 256, 256}, RESAMPLE_TRIANGLE, &large);
    plain_refine(&fixture->photo, &large, 8, 4e-4, &fixture->plain);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    picture_dispose(&fixture->photo);
    picture_dispose(&fixture->coarse);
    picture_dispose(&fixture->plain);
    free(fixture);
    return 0;
}

/* `weight` (a matte, or NULL): how much a pixel's difference can be seen. */
static double psnr(const struct picture *a, const struct picture *b, const struct picture *weight)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * a->channels; x++) {
            double off = picture_row(a, y)[x] - picture_row(b, y)[x];
            if (weight)
                off *= picture_row(weight, y)[x / a->channels] / 255.0;
            sum += off * off;
        }
    sum /= (double)a->width * a->height * a->channels;
    return sum > 0 ? 10 * log10(255.0 * 255 / sum) : INFINITY;
}

static void the_fast_guided_filter_looks_like_the_plain_one(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture fast = picture_new(SIDE, SIDE, PICTURE_GREY);
    matte_refine(&fixture->photo, &fixture->coarse, &fast);
    double quality = psnr(&fast, &fixture->plain, NULL);
    print_message("guided filter: %.1f dB\n", quality);
    assert_true(quality >= 40);
}

static void the_fast_foreground_looks_like_the_plain_one(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture fast = picture_new(SIDE, SIDE, PICTURE_RGB);
    AUTO(picture_dispose) struct picture plain = picture_new(SIDE, SIDE, PICTURE_RGB);
    foreground_estimate(&fixture->photo, &fixture->plain, &fast);
    plain_foreground(&fixture->photo, &fixture->plain, 90, 6, &plain);
    /* As it is seen: laid over something else. */
    double quality = psnr(&fast, &plain, &fixture->plain);
    print_message("foreground: %.1f dB\n", quality);
    assert_true(quality >= 40);
}

static void flat_mattes_stay_flat(void **state)
{
    struct fixture *fixture = *state;
    AUTO(picture_dispose) struct picture photo = resized(&fixture->photo, 333, 217);
    AUTO(picture_dispose) struct picture coarse = picture_new(256, 256, PICTURE_GREY);
    AUTO(picture_dispose) struct picture matte = picture_new(333, 217, PICTURE_GREY);
    AUTO(picture_dispose) struct picture front = picture_new(333, 217, PICTURE_RGB);
    for (int value = 0; value <= 255; value += 255) {
        memset(coarse.pixels, value, coarse.stride * 256);
        matte_refine(&photo, &coarse, &matte);
        foreground_estimate(&photo, &matte, &front);
        for (int y = 0; y < 217; y++)
            for (int x = 0; x < 333; x++) {
                assert_int_equal(picture_row(&matte, y)[x], value);
                if (value == 255)
                    assert_memory_equal(picture_row(&front, y) + 3 * x,
                                        picture_row(&photo, y) + 3 * x, 3);
            }
    }
}

static void the_background_does_not_shine_through_a_soft_edge(void **state)
{
    (void)state;
    enum { WIDTH = 200, HEIGHT = 64 };
    AUTO(picture_dispose) struct picture photo = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    AUTO(picture_dispose) struct picture matte = picture_new(WIDTH, HEIGHT, PICTURE_GREY);
    AUTO(picture_dispose) struct picture front = picture_new(WIDTH, HEIGHT, PICTURE_RGB);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) { /* brown hair before a green wall */
            double a = x < 90 ? 1 : x > 110 ? 0 : (110 - x) / 20.0;
            const double hair[3] = {90, 60, 40}, wall[3] = {60, 200, 60};
            for (int c = 0; c < 3; c++)
                picture_row(&photo, y)[3 * x + c] = (uint8_t)(hair[c] * a + wall[c] * (1 - a) + .5);
            picture_row(&matte, y)[x] = (uint8_t)(a * 255 + .5);
        }
    foreground_estimate(&photo, &matte, &front);
    for (int x = 80; x < 104; x++) {
        int was = picture_row(&photo, HEIGHT / 2)[3 * x + 1] - 60;
        int is = picture_row(&front, HEIGHT / 2)[3 * x + 1] - 60;
        assert_in_range(is + 6, 0, was * 2 / 5 + 12);
    }
}

static void the_smallest_pictures_work(void **state)
{
    (void)state;
    const int sizes[][2] = {{1, 1}, {2, 1}, {1, 5}, {3, 2}, {9, 300}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        AUTO(picture_dispose) struct picture photo = picture_new(width, height, PICTURE_RGB);
        AUTO(picture_dispose) struct picture coarse = picture_new(4, 4, PICTURE_GREY);
        AUTO(picture_dispose) struct picture matte = picture_new(width, height, PICTURE_GREY);
        AUTO(picture_dispose) struct picture front = picture_new(width, height, PICTURE_RGB);
        memset(photo.pixels, 99, photo.stride * (size_t)height);
        memset(coarse.pixels, 255, coarse.stride * 4);
        matte_refine(&photo, &coarse, &matte);
        foreground_estimate(&photo, &matte, &front);
        assert_int_equal(picture_row(&matte, height - 1)[width - 1], 255);
        assert_int_equal(picture_row(&front, height - 1)[3 * width - 1], 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_guided_filter_looks_like_the_plain_one),
        cmocka_unit_test(the_fast_foreground_looks_like_the_plain_one),
        cmocka_unit_test(flat_mattes_stay_flat),
        cmocka_unit_test(the_background_does_not_shine_through_a_soft_edge),
        cmocka_unit_test(the_smallest_pictures_work),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
