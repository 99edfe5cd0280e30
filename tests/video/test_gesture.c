/* SPDX-License-Identifier: Apache-2.0 */
#include "video/gesture.h"

#include <math.h>
#include <stdbool.h>

#include "support/test.h"

static void eyes_blink_every_three_to_five_seconds(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct gesture_source source = {seed, 60};
        double last = -1;
        bool shut = false;
        for (double at = 0; at < 60; at += 0.005) {
            bool now = gesture_at(&source, at, 0).blink > 0.99f;
            if (now && !shut) {
                double since = at - last;
                assert_true(last < 0 ? at < 3.2 : since > 2.9 && since < 5.1);
                last = at;
            }
            shut = now;
        }
    }
}

static void a_blink_reaches_shut_in_a_frame_at_25_a_second(void **state)
{
    struct gesture_source source = {4, 30};
    int shut = 0;
    for (int frame = 0; frame < 750; frame++)
        shut += gesture_at(&source, (frame + 0.5) / 25, 0).blink > 0.99f;
    assert_true(shut >= 5);
}

static void it_begins_and_ends_at_the_photos_own_pose(void **state)
{
    struct gesture_source source = {9, 8};
    double moments[] = {0, 8};
    for (int i = 0; i < 2; i++) {
        struct gesture gesture = gesture_at(&source, moments[i], 1);
        assert_true(gesture.yaw == 0 && gesture.pitch == 0 && gesture.roll == 0);
        assert_true(gesture.shift_x == 0 && gesture.brows == 0 && gesture.breath == 0);
    }
}

static void seeds_differ_and_one_seed_does_not(void **state)
{
    struct gesture_source one = {1, 10}, same = {1, 10}, other = {2, 10};
    struct gesture a = gesture_at(&one, 4, 0.5f), b = gesture_at(&same, 4, 0.5f);
    struct gesture c = gesture_at(&other, 4, 0.5f);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.yaw != c.yaw);
}

static void the_head_never_jerks(void **state)
{
    struct gesture_source source = {3, 20};
    struct gesture last = gesture_at(&source, 0, 0);
    for (double at = 0; at < 20; at += 0.01) {
        struct gesture now = gesture_at(&source, at, 0);
        assert_true(fabsf(now.yaw - last.yaw) < 0.002f && fabsf(now.roll - last.roll) < 0.002f);
        assert_true(fabsf(now.shift_x - last.shift_x) < 0.06f);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eyes_blink_every_three_to_five_seconds),
        cmocka_unit_test(a_blink_reaches_shut_in_a_frame_at_25_a_second),
        cmocka_unit_test(it_begins_and_ends_at_the_photos_own_pose),
        cmocka_unit_test(seeds_differ_and_one_seed_does_not),
        cmocka_unit_test(the_head_never_jerks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
