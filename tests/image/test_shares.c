/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "image/shares.h"

static const struct image_client a = {1, 1}, b = {1, 2}, late = {1, 3}, elsewhere = {2, 4};

static int set_up(void **state)
{
    *state = shares_new();
    return 0;
}

static int tear_down(void **state)
{
    shares_free(*state);
    return 0;
}

static void assert_share(struct shares *shares, struct image_client client, int64_t now_ms,
                         double address_s, double client_s)
{
    struct share share = shares_of(shares, client, now_ms);
    assert_float_equal(share.address_s, address_s, 1e-6);
    assert_float_equal(share.client_s, client_s, 1e-6);
}

static void a_connection_and_its_address_are_both_counted(void **state)
{
    shares_charge(*state, a, 2, 0);
    shares_charge(*state, elsewhere, 4, 0);
    shares_charge(*state, a, 1, 0);
    assert_share(*state, a, 0, 3, 3);
    shares_charge(*state, b, 1, 0);
    assert_share(*state, a, 0, 4, 3);
    assert_share(*state, b, 0, 4, 4); /* it came as one that had had as much as the other */
    assert_share(*state, elsewhere, 0, 4, 4);
}

static void what_was_had_long_ago_is_forgotten(void **state)
{
    shares_charge(*state, a, 8, 0);
    assert_share(*state, a, 20 * 1000, 4, 4);
    shares_charge(*state, a, 1, 40 * 1000);
    assert_share(*state, a, 40 * 1000, 3, 3);
    assert_share(*state, a, 600 * 1000, 0, 0);
}

static void connecting_again_gains_nothing(void **state)
{
    shares_charge(*state, a, 2, 0);
    shares_charge(*state, b, 2, 0);
    shares_charge(*state, a, 4, 0);
    assert_share(*state, late, 0, 8, 5); /* beside the others: as they on average */
    shares_gone(*state, a);
    assert_share(*state, late, 0, 8, 6); /* in the place of one that went: what that had */
    shares_charge(*state, late, 1, 0);
    assert_share(*state, late, 0, 9, 7);
    assert_share(*state, a, 0, 9, 5.5); /* taken over once, and no more */
}

static void an_address_alone_is_a_client_too(void **state)
{
    const struct image_client forwarded = {7, 0};
    shares_charge(*state, forwarded, 2, 0);
    assert_share(*state, forwarded, 0, 2, 2);
}

static void nobody_in_particular_has_nothing(void **state)
{
    const struct image_client nobody = {0, 0};
    shares_charge(*state, nobody, 2, 0);
    shares_told(*state, nobody, 1000, 0);
    assert_share(*state, nobody, 0, 0, 0);
    assert_int_equal(shares_expected(*state, 0), 0);
}

static void who_was_told_to_come_back_is_expected_until_then(void **state)
{
    shares_told(*state, a, 1000, 0);
    shares_told(*state, b, 2000, 0);
    assert_int_equal(shares_expected(*state, 500), 2);
    assert_int_equal(shares_early_ms(*state, a, 400), 600);
    assert_int_equal(shares_early_ms(*state, a, 1000), 0);
    assert_int_equal(shares_expected(*state, 1000), 1);
    shares_told(*state, b, 0, 1200);
    assert_int_equal(shares_expected(*state, 1200), 0);
    assert_int_equal(shares_early_ms(*state, late, 0), 0);
}

static void of_many_clients_those_who_had_most_are_remembered(void **state)
{
    shares_charge(*state, a, 5, 0);
    for (uint64_t i = 0; i < 5000; i++)
        shares_charge(*state, (struct image_client){100 + i, 100 + i}, 1, 0);
    assert_share(*state, a, 0, 5, 5);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(a_connection_and_its_address_are_both_counted),
        HERE(what_was_had_long_ago_is_forgotten),
        HERE(connecting_again_gains_nothing),
        HERE(an_address_alone_is_a_client_too),
        HERE(nobody_in_particular_has_nothing),
        HERE(who_was_told_to_come_back_is_expected_until_then),
        HERE(of_many_clients_those_who_had_most_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
