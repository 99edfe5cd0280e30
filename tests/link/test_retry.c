/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "link/retry.h"

static const int64_t second_us = 1000 * 1000;

static void a_cut_link_is_tried_at_once_and_often_at_first(void **state)
{
    struct retry retry = {0};
    (void)state;
    retry_cut(&retry, true, 7 * second_us);
    assert_int_equal(retry_first_ms(&retry), 0);
    assert_int_equal(retry_next_ms(&retry, 8 * second_us), 500);
    assert_int_equal(retry_next_ms(&retry, 126 * second_us), 500);
    assert_int_equal(retry_next_ms(&retry, 127 * second_us), 5000);
    retry.knocking = true;
    assert_int_equal(retry_next_ms(&retry, 8 * second_us), 1000);
}

static void a_host_that_said_no_is_not_pestered(void **state)
{
    struct retry retry = {0};
    (void)state;
    retry_cut(&retry, true, 0);
    retry.refused = true;
    assert_int_equal(retry_next_ms(&retry, second_us), 30 * 1000);
    retry_cut(&retry, true, second_us);
    assert_int_equal(retry_next_ms(&retry, 2 * second_us), 500);
}

static void streams_that_end_at_once_are_made_ever_less_often(void **state)
{
    struct retry retry = {0};
    int64_t before_ms = 0, total_ms = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        retry_cut(&retry, false, 0);
        int64_t wait_ms = retry_first_ms(&retry);
        assert_true(wait_ms >= before_ms && wait_ms <= 30 * 1000);
        before_ms = wait_ms;
        total_ms += i < 4 ? wait_ms : 0;
    }
    assert_true(total_ms <= 1000); /* a bad moment is not punished */
    assert_int_equal(before_ms, 30 * 1000);
    retry_cut(&retry, true, 0);
    assert_int_equal(retry_first_ms(&retry), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_link_is_tried_at_once_and_often_at_first),
        cmocka_unit_test(a_host_that_said_no_is_not_pestered),
        cmocka_unit_test(streams_that_end_at_once_are_made_ever_less_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
