/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "pipeline/gate_internal.h"

static bool enters(struct gate *gate, struct gate_place *place, int64_t size)
{
    return gate_enter(gate, place, size, 0);
}

static void as_many_as_fit_are_inside(void **state)
{
    struct gate *gate = gate_new(10);
    struct gate_place places[3] = {0};
    assert_true(enters(gate, &places[0], 4));
    assert_true(enters(gate, &places[1], 6));
    assert_false(enters(gate, &places[2], 1));
    gate_leave(gate, &places[0]);
    assert_true(enters(gate, &places[2], 1));
    gate_leave(gate, &places[1]);
    gate_leave(gate, &places[2]);
    gate_free(gate);
}

static void what_is_larger_than_all_there_is_goes_alone(void **state)
{
    struct gate *gate = gate_new(10);
    struct gate_place small = {0}, large = {0};
    assert_true(enters(gate, &small, 1));
    assert_false(enters(gate, &large, 40));
    gate_leave(gate, &small);
    assert_true(enters(gate, &large, 40));
    assert_false(enters(gate, &small, 1));
    gate_leave(gate, &large);
    assert_true(enters(gate, &small, 1));
    gate_leave(gate, &small);
    gate_free(gate);
}

static void nobody_overtakes(void **state)
{
    struct gate *gate = gate_new(10);
    struct gate_place first = {0}, large = {0}, small = {0};
    assert_true(enters(gate, &first, 6));
    assert_false(enters(gate, &large, 8));
    assert_false(enters(gate, &small, 2)); /* would fit, but came later */
    gate_leave(gate, &first);
    assert_true(enters(gate, &large, 8));
    assert_true(enters(gate, &small, 2));
    gate_leave(gate, &large);
    gate_leave(gate, &small);
    gate_free(gate);
}

static void who_gives_up_holds_nobody_back(void **state)
{
    struct gate *gate = gate_new(10);
    struct gate_place first = {0}, large = {0}, small = {0}, never = {0};
    assert_true(enters(gate, &first, 6));
    assert_false(enters(gate, &large, 8));
    assert_false(enters(gate, &small, 2));
    gate_leave(gate, &large);
    assert_true(enters(gate, &small, 2));
    gate_leave(gate, &never);
    gate_leave(gate, &first);
    gate_leave(gate, &small);
    gate_free(gate);
}

static void who_waits_knows_for_how_long(void **state)
{
    struct gate *gate = gate_new(10);
    struct gate_place inside[2] = {0}, next = {0}, last = {0};
    for (int i = 0; i < 2; i++) {
        assert_true(enters(gate, &inside[i], 5));
        gate_tell(gate, &inside[i], 3 + i);
    }
    assert_false(enters(gate, &next, 10));
    assert_false(enters(gate, &last, 10));
    gate_tell(gate, &next, 2);
    assert_float_equal(gate_ahead_s(gate, &inside[0]), 0, 1e-9);
    assert_float_equal(gate_ahead_s(gate, &next), 4, 1e-9);
    assert_float_equal(gate_ahead_s(gate, &last), 6, 1e-9);
    for (int i = 0; i < 2; i++)
        gate_leave(gate, &inside[i]);
    assert_float_equal(gate_ahead_s(gate, &next), 0, 1e-9);
    gate_leave(gate, &next);
    gate_leave(gate, &last);
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_fit_are_inside),
        cmocka_unit_test(what_is_larger_than_all_there_is_goes_alone),
        cmocka_unit_test(nobody_overtakes),
        cmocka_unit_test(who_gives_up_holds_nobody_back),
        cmocka_unit_test(who_waits_knows_for_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
