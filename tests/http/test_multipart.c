/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "base/buf.h"
#include "http/multipart.h"

#define DISPOSITION "Content-Disposition: form-data; name="
#define TWICE       "--XyZ\r\n" DISPOSITION "a\r\n" DISPOSITION "b\r\n\r\nx\r\n--XyZ--"
#define TEN         "0123456789"
#define TOO_LONG    "multipart/form-data; boundary=" TEN TEN TEN TEN TEN TEN TEN "1"

static const char type[] = "multipart/form-data; boundary=XyZ";

/* What was received, as text: "<name" or "<name*" for a file, data, ">". */
struct heard {
    struct buf text;
    const char *stop_at; /* name of a part that is refused */
};

static bool heard_begin(void *context, const struct multipart_part *part, struct error *err)
{
    struct heard *heard = context;
    if (heard->stop_at && strcmp(part->name, heard->stop_at) == 0)
        return error_set(err, ERROR_LIMIT, "not this one");
    return buf_printf(&heard->text, err, "<%s%s:", part->name, part->is_file ? "*" : "");
}

static bool heard_data(void *context, struct bytes data, struct error *err)
{
    return buf_append(&((struct heard *)context)->text, data, err);
}

static bool heard_end(void *context, struct error *err)
{
    return buf_text(&((struct heard *)context)->text, ">", err);
}

/* Feeds `body` in pieces of `step` bytes. */
static bool parse(struct bytes body, size_t step, struct heard *heard, struct error *err)
{
    const struct multipart_sink sink = {heard, heard_begin, heard_data, heard_end};
    AUTO(multipart_free) struct multipart *multipart = multipart_new(type, &sink, err);
    assert_non_null(multipart);
    while (body.size) {
        size_t size = body.size < step ? body.size : step;
        if (!multipart_feed(multipart, (struct bytes){body.data, size}, err))
            return false;
        body = (struct bytes){body.data + size, body.size - size};
    }
    return multipart_end(multipart, err);
}

static const char good[] =
    "--XyZ\r\n"
    "Content-Disposition: form-data; name=\"text\"\r\n"
    "\r\n"
    "hello\r\n--XyZnot\r\n--Xy\r\r\nthere\r\n"
    "--XyZ  \r\n"
    "content-type: image/png\r\n"
    "CONTENT-DISPOSITION: form-data; filename=\"../../a;b.png\"; name=image\r\n"
    "\r\n"
    "\r\n--XyZ\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n"
    "\r\n--XyZ--\r\nepilogue";

static void parts_are_the_same_however_the_bytes_are_cut(void **state)
{
    /* "--XyZnot" is not a boundary with a line end, so the body is malformed there: cut it out. */
    AUTO(buf_dispose) struct buf body = BUF(4096);
    const char *wrong = strstr(good, "\r\n--XyZnot");
    assert_true(
        buf_append(&body, (struct bytes){(const uint8_t *)good, (size_t)(wrong - good)}, NULL));
    assert_true(buf_text(&body, wrong + 10, NULL));
    for (size_t step = 1; step <= body.size; step++) {
        struct heard heard = {.text = BUF(4096)};
        struct error err;
        assert_ok(parse(buf_bytes(&body), step, &heard, &err), &err);
        assert_string_equal(buf_string(&heard.text),
                            "<text:hello\r\n--Xy\r\r\nthere><image*:><empty:>");
        buf_dispose(&heard.text);
    }
}

static void malformed_bodies_are_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "--XyZ",
        "--XyZ\r\n",
        "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nno end",
        "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XyZ",
        "--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XyZ*\r\n",
        "--XyZ\r\n\r\nno header\r\n--XyZ--",
        "--XyZ\r\nContent-Type: text/plain\r\n\r\nno name\r\n--XyZ--",
        "--XyZ\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XyZ--",
        "--XyZ\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--XyZ--",
        "--XyZ\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XyZ--",
        "--XyZ\r\nContent-Disposition: form-data; name=\"\xff\xfe\"\r\n\r\nx\r\n--XyZ--",
        "--XyZ\r\nno colon\r\n\r\nx\r\n--XyZ--",
        TWICE,
        "--XyZ\nContent-Disposition: form-data; name=a\n\nx\n--XyZ--",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct heard heard = {.text = BUF(4096)};
        struct error err = {.code = NULL};
        bool parsed = parse(bytes_of(bodies[i]), 7, &heard, &err);
        buf_dispose(&heard.text);
        if (parsed)
            fail_msg("accepted: %s", bodies[i]);
        assert_string_equal(err.code, "multipart_malformed");
    }
}

static void a_header_without_end_is_bounded(void **state)
{
    AUTO(buf_dispose) struct buf body = BUF(64 * 1024);
    struct heard heard = {.text = BUF(4096)};
    struct error err;
    assert_true(buf_text(&body, "--XyZ\r\nX: ", NULL));
    while (body.size < 20000)
        assert_true(buf_text(&body, "aaaaaaaaaa", NULL));
    assert_false(parse(buf_bytes(&body), 1000, &heard, &err));
    assert_string_equal(err.code, "multipart_header_too_large");
}

static void a_preamble_is_skipped_but_not_for_ever(void **state)
{
    static const char tail[] =
        "\r\n--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XyZ--";
    for (size_t size = 1; size < 4000; size += 997) {
        AUTO(buf_dispose) struct buf body = BUF(64 * 1024);
        struct heard heard = {.text = BUF(4096)};
        struct error err = {.code = NULL};
        while (body.size < size)
            assert_true(buf_text(&body, "-", NULL));
        assert_true(buf_text(&body, tail, NULL));
        bool parsed = parse(buf_bytes(&body), 3, &heard, &err);
        assert_int_equal(parsed, size <= 1020);
        buf_dispose(&heard.text);
    }
}

static void the_receiver_can_stop_it(void **state)
{
    struct heard heard = {.text = BUF(4096), .stop_at = "a"};
    struct error err;
    assert_false(
        parse(bytes_of("--XyZ\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XyZ--"), 99,
              &heard, &err));
    assert_error(&err, ERROR_LIMIT, "not this one");
}

static void content_types_without_a_usable_boundary_are_refused(void **state)
{
    static const char *const types[] = {
        "",
        "text/plain; boundary=a",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"a",
        "multipart/form-data; boundary=\"ends with space \"",
        "multipart/form-data; boundary=\"a\r\nb\"",
        TOO_LONG,
    };
    const struct multipart_sink sink = {NULL, heard_begin, heard_data, heard_end};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct error err;
        assert_null(multipart_new(types[i], &sink, &err));
        assert_string_equal(err.code, "multipart_malformed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(malformed_bodies_are_refused),
        cmocka_unit_test(a_header_without_end_is_bounded),
        cmocka_unit_test(a_preamble_is_skipped_but_not_for_ever),
        cmocka_unit_test(the_receiver_can_stop_it),
        cmocka_unit_test(content_types_without_a_usable_boundary_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
