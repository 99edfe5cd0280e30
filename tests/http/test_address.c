/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "http/address.h"

static uint64_t number(const char *field)
{
    uint64_t number = 0;
    assert_true(address_forwarded(field, &number));
    assert_true(number != 0);
    return number;
}

static void the_last_address_is_the_one_that_a_proxy_saw(void **state)
{
    (void)state;
    assert_true(number("10.0.0.1, 192.0.2.7") == number("192.0.2.7"));
    assert_true(number("192.0.2.7") != number("192.0.2.8"));
    assert_true(number("10.0.0.1,  2001:db8::1 ") == number("2001:db8::1"));
    assert_true(number("[2001:db8::1]") == number("2001:db8::1"));
}

static void an_ipv6_network_is_one_and_a_mapped_address_is_ipv4(void **state)
{
    (void)state;
    assert_true(number("2001:db8::1") == number("2001:db8::2:3"));
    assert_true(number("2001:db8::1") != number("2001:db8:0:1::1"));
    assert_true(number("::ffff:192.0.2.7") == number("192.0.2.7"));
    assert_true(number("::1") != number("127.0.0.1"));
}

static void loopback_is_told_from_all_others(void **state)
{
    (void)state;
    assert_true(address_is_loopback(number("127.0.0.1")));
    assert_true(address_is_loopback(number("127.200.3.4")));
    assert_true(address_is_loopback(number("::1")));
    assert_true(address_is_loopback(number("::ffff:127.0.0.1")));
    assert_false(address_is_loopback(number("128.0.0.1")));
    assert_false(address_is_loopback(number("126.255.255.255")));
    assert_false(address_is_loopback(number("192.168.0.1")));
    assert_false(address_is_loopback(number("fe80::1")));
    assert_false(address_is_loopback(number("7f00::1")));
    assert_false(address_is_loopback(address_number(NULL)));
}

static void what_is_no_address_is_none(void **state)
{
    (void)state;
    uint64_t number;
    assert_false(address_forwarded("", &number));
    assert_false(address_forwarded("unknown", &number));
    assert_false(address_forwarded("192.0.2.7,", &number));
    assert_false(address_forwarded("192.0.2.7:4711", &number));
    assert_false(address_forwarded(
        "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_address_is_the_one_that_a_proxy_saw),
        cmocka_unit_test(an_ipv6_network_is_one_and_a_mapped_address_is_ipv4),
        cmocka_unit_test(loopback_is_told_from_all_others),
        cmocka_unit_test(what_is_no_address_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
