/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <math.h>

#include "base/buf.h"
#include "base/jv.h"

static void what_is_written_reads_back(void **state)
{
    AUTO(jv_free) struct jv *object = jv_object();
    jv_text(object, "name", "\xe3\x81\x82\"\\\n");
    jv_int(object, "count", INT64_MIN);
    jv_real(object, "share", 0.5);
    jv_real(object, "nothing", NAN);
    jv_bool(object, "done", true);
    jv_push_text(jv_put_array(object, "list"), "x");

    AUTO(buf_dispose) struct buf text = BUF(1000);
    struct error err;
    assert_ok(jv_write(object, false, &text, &err), &err);
    AUTO(jv_free) struct jv *back = jv_parse(buf_bytes(&text), &err);
    assert_non_null(back);
    assert_string_equal(jv_get_text(back, "name", ""), "\xe3\x81\x82\"\\\n");
    assert_true(jv_get_int(back, "count", 0) == INT64_MIN);
    assert_true(jv_get_real(back, "share", 0) == 0.5);
    assert_int_equal(jv_kind(jv_get(back, "nothing")), JV_NULL);
    assert_true(jv_get_bool(back, "done", false));
    assert_string_equal(jv_as_text(jv_at(jv_get(back, "list"), 0), ""), "x");
}

static void what_is_missing_yields_the_fallback(void **state)
{
    AUTO(jv_free) struct jv *object = jv_object();
    assert_null(jv_get(jv_get(jv_get(object, "a"), "b"), "c"));
    assert_string_equal(jv_get_text(object, "a", "none"), "none");
    assert_int_equal(jv_get_int(NULL, "a", 7), 7);
    assert_int_equal(jv_size(NULL), 0);
}

static void invalid_text_becomes_replacement_characters(void **state)
{
    AUTO(jv_free) struct jv *object = jv_object();
    jv_text(object, "x",
            "a\xff"
            "b");
    assert_string_equal(jv_get_text(object, "x", ""), "a\xef\xbf\xbd"
                                                      "b");
}

static void hostile_json_is_refused(void **state)
{
    struct error err;
    char deep[2000];
    memset(deep, '[', sizeof deep);
    assert_null(jv_parse((struct bytes){(uint8_t *)deep, sizeof deep}, &err));
    assert_error(&err, ERROR_LIMIT, "JSON of more than 256 levels");
    static const char *const broken[] = {"", "{", "{\"a\":1,\"a\":2}", "1 2", "\"\xff\"", "nul"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_null(jv_parse(bytes_of(broken[i]), &err));
        assert_int_equal(err.kind, ERROR_INVALID);
    }
}

static void a_full_buffer_is_an_error(void **state)
{
    AUTO(jv_free) struct jv *object = jv_object();
    jv_text(object, "name", "longer than the buffer");
    AUTO(buf_dispose) struct buf text = BUF(10);
    struct error err;
    assert_false(jv_write(object, true, &text, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(what_is_missing_yields_the_fallback),
        cmocka_unit_test(invalid_text_becomes_replacement_characters),
        cmocka_unit_test(hostile_json_is_refused),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
