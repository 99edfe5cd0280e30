/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "image/calm.h"
#include "media/picture.h"

enum { SIDE = 256 };

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* A slope with an edge, stripes in its lower half, and noise of this spread. */
static struct picture scene(int spread)
{
    struct picture picture = picture_new(SIDE, SIDE, PICTURE_RGB);
    unsigned seed = 7;
    for (int y = 0; y < SIDE; y++)
        for (int i = 0; i < 3 * SIDE; i++) {
            int x = i / 3, value = 40 + x / 4 + (x > 120 ? 60 : 0);
            if (y > SIDE / 2)
                value += x % 6 < 3 ? 30 : -30;
            int noise = spread ? (int)(next(&seed) % (unsigned)(2 * spread + 1)) - spread : 0;
            value += noise;
            picture_row(&picture, y)[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    return picture;
}

static void a_clean_picture_stays_as_it_is(void **state)
{
    (void)state;
    AUTO(picture_dispose) struct picture clean = scene(0);
    AUTO(picture_dispose) struct picture calmed = scene(0);
    picture_calm(&calmed);
    assert_true(picture_noise(&clean) < 1);
    for (int y = 0; y < SIDE; y++)
        assert_memory_equal(picture_row(&clean, y), picture_row(&calmed, y), 3 * SIDE);
}

static void noise_is_measured_and_taken_out(void **state)
{
    (void)state;
    for (int spread = 30; spread <= 70; spread += 20) {
        AUTO(picture_dispose) struct picture noisy = scene(spread);
        float before = picture_noise(&noisy), deviation = (float)spread / 1.732f;
        assert_true(before > 0.7f * deviation && before < 1.3f * deviation);
        picture_calm(&noisy);
        assert_true(picture_noise(&noisy) < before / 3);
        uint8_t left = picture_row(&noisy, 20)[3 * 60], right = picture_row(&noisy, 20)[3 * 180];
        assert_true(right > left + 40); /* the edge is still there */
    }
}

static void a_small_picture_has_no_noise(void **state)
{
    (void)state;
    for (int side = 1; side < 20; side += 3) {
        AUTO(picture_dispose) struct picture small = picture_new(side, side, PICTURE_RGB);
        memset(small.pixels, 90, small.stride * (size_t)side);
        picture_calm(&small);
        assert_true(picture_noise(&small) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_picture_stays_as_it_is),
        cmocka_unit_test(noise_is_measured_and_taken_out),
        cmocka_unit_test(a_small_picture_has_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
