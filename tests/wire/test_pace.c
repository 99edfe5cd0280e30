/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MS = 1000, SECOND = 1000 * MS, RATE = 12500 * 1000 };

/* A link of RATE whose round trip is `rtt_us`, with a line of `line_us` in front of it. */
struct way {
    struct pace pace;
    uint64_t number;
    int64_t now_us, rtt_us, line_us;
};

static struct way way_new(int64_t rtt_us)
{
    struct way way = {.now_us = SECOND, .rtt_us = rtt_us};
    pace_init(&way.pace);
    return way;
}

/* Full for so long: as much is acknowledged in each round trip as the link carries in it. */
static void carry(struct way *way, int64_t for_us)
{
    for (int64_t end_us = way->now_us + for_us; way->now_us < end_us;) {
        int64_t round_us = way->rtt_us + way->line_us;
        pace_sent(&way->pace, ++way->number, true, way->now_us);
        way->now_us += round_us;
        pace_acked(&way->pace, way->number, (size_t)(RATE * round_us / SECOND), 0, way->now_us);
    }
}

static double window_ms(const struct way *way)
{
    return (double)pace_window(&way->pace, way->now_us) * 1000 / RATE;
}

static void the_line_is_short_while_somebody_is_in_a_hurry(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    pace_urgent(&way.pace, way.now_us);
    carry(&way, SECOND);
    assert_in_range((int)window_ms(&way), 12, 17);
}

static void the_line_is_longer_when_nobody_is(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    carry(&way, SECOND);
    assert_in_range((int)window_ms(&way), 80, 95);
    pace_urgent(&way.pace, way.now_us);
    assert_in_range((int)window_ms(&way), 12, 17);
    carry(&way, 11 * SECOND);
    assert_in_range((int)window_ms(&way), 80, 95);
}

static void a_wide_link_costs_no_more_memory(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace);
    int64_t now_us = SECOND;
    for (uint64_t i = 1; i < 2000; i++) {
        pace_sent(&pace, i, true, now_us);
        now_us += 200;
        pace_acked(&pace, i, 100 * 1000, 0, now_us); /* 500 MB/s */
    }
    assert_in_range(pace_window(&pace, now_us), 500 * 1000, 1300 * 1000);
}

static void little_at_first_says_nothing_about_the_width(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    pace_sent(&way.pace, 1, false, way.now_us);
    way.now_us += way.rtt_us;
    pace_acked(&way.pace, 1, 200, 0, way.now_us);
    assert_in_range(pace_window(&way.pace, way.now_us), 256 * 1024, 512 * 1024);
}

static void the_round_trip_is_probed_without_a_line_and_without_emptying_the_link(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    carry(&way, SECOND);
    way.line_us = 5 * MS;
    pace_urgent(&way.pace, way.now_us + 5 * SECOND);
    carry(&way, 10 * SECOND);
    assert_in_range((int)window_ms(&way), 11, 13); /* the link's own length */
    assert_int_equal(way.pace.base_rtt_us, 12 * MS);
    way.line_us = 0;
    carry(&way, SECOND);
    assert_int_equal(way.pace.probe_end_us, 0);
    assert_int_equal(way.pace.base_rtt_us, 12 * MS);
}

static void it_is_not_probed_when_nobody_cares(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    carry(&way, SECOND);
    way.line_us = 70 * MS;
    for (int i = 0; i < 300; i++) {
        carry(&way, 100 * MS);
        assert_int_equal(way.pace.probe_end_us, 0);
    }
    assert_int_equal(way.pace.base_rtt_us, 12 * MS);
}

static void a_longer_way_is_noticed(void **state)
{
    (void)state;
    struct way way = way_new(12 * MS);
    carry(&way, SECOND);
    way.rtt_us = 200 * MS;
    carry(&way, 15 * SECOND);
    assert_int_equal(way.pace.base_rtt_us, 200 * MS);
    assert_in_range((int)window_ms(&way), 270, 290);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_short_while_somebody_is_in_a_hurry),
        cmocka_unit_test(the_line_is_longer_when_nobody_is),
        cmocka_unit_test(a_wide_link_costs_no_more_memory),
        cmocka_unit_test(little_at_first_says_nothing_about_the_width),
        cmocka_unit_test(the_round_trip_is_probed_without_a_line_and_without_emptying_the_link),
        cmocka_unit_test(it_is_not_probed_when_nobody_cares),
        cmocka_unit_test(a_longer_way_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
