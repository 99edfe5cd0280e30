/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/mem.h"
#include "link/ciphers.h"

static void only_sshs_own_order_is_changed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *order;
    } cases[] = {
        {"user me\nciphers chacha20-poly1305@openssh.com,aes128-ctr,aes128-gcm@openssh.com,x\nz "
         "1\n",
         "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,x"},
        {"ciphers chacha20-poly1305@openssh.com,aes128-gcm@openssh.com",
         "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com"},
        {"ciphers aes256-ctr,aes128-gcm@openssh.com\n", NULL}, /* somebody's own choice */
        {"ciphers aes128-gcm@openssh.com,aes128-ctr\n", NULL},
        {"ciphers chacha20-poly1305@openssh.com\n", NULL},
        {"nothing\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(mem_free) char *order = ciphers_order(bytes_of(cases[i].text));
        if (cases[i].order)
            assert_string_equal(order, cases[i].order);
        else
            assert_null(order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_sshs_own_order_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
