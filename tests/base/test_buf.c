/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "base/mem.h"

static void growth_stops_at_the_limit_and_changes_nothing(void **state)
{
    AUTO(buf_dispose) struct buf buf = BUF(10);
    struct error err;
    assert_ok(buf_text(&buf, "12345678", &err), &err);
    assert_false(buf_text(&buf, "901", &err));
    assert_error(&err, ERROR_LIMIT, "1 bytes more than the 10 allowed");
    assert_string_equal(buf_string(&buf), "12345678");
    assert_ok(buf_printf(&buf, &err, "%d", 90), &err);
    assert_string_equal(buf_string(&buf), "1234567890");
    assert_false(buf_text(&buf, "1", NULL));
}

static void an_impossible_size_is_refused_before_it_is_reserved(void **state)
{
    AUTO(buf_dispose) struct buf buf = BUF(1000);
    assert_ok(buf_text(&buf, "x", NULL), &(struct error){.text = "?"});
    assert_null(buf_reserve(&buf, SIZE_MAX, NULL));
    assert_null(buf_reserve(&buf, SIZE_MAX - 1, NULL));
    assert_null(buf_reserve(&buf, 1000, NULL));
    assert_non_null(buf_reserve(&buf, 999, NULL));
}

static void consumed_bytes_are_gone_from_the_front(void **state)
{
    AUTO(buf_dispose) struct buf buf = BUF(100);
    struct error err;
    assert_ok(buf_text(&buf, "hello world", &err), &err);
    buf_consume(&buf, 6);
    assert_string_equal(buf_string(&buf), "world");
    AUTO(mem_free) char *text = buf_take(&buf);
    assert_string_equal(text, "world");
    assert_int_equal(buf.size, 0);
    assert_string_equal(buf_string(&buf), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_stops_at_the_limit_and_changes_nothing),
        cmocka_unit_test(an_impossible_size_is_refused_before_it_is_reserved),
        cmocka_unit_test(consumed_bytes_are_gone_from_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
