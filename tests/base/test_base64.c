/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/auto.h"
#include "base/base64.h"
#include "base/buf.h"

static void the_standards_examples_come_out(void **state)
{
    (void)state;
    static const char *const examples[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct error err;
        AUTO(buf_dispose) struct buf out = BUF(64);
        assert_ok(base64_encode(bytes_of(examples[i][0]), &out, &err), &err);
        assert_string_equal(buf_string(&out), examples[i][1]);
    }
}

static void the_limit_of_the_buffer_holds(void **state)
{
    (void)state;
    struct error err;
    AUTO(buf_dispose) struct buf out = BUF(7);
    assert_false(base64_encode(bytes_of("foob"), &out, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_examples_come_out),
        cmocka_unit_test(the_limit_of_the_buffer_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
