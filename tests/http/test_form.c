/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <dirent.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/file.h"
#include "http/form.h"

static const char type[] = "multipart/form-data; boundary=b";

static const struct http_part_rule rules[] = {
    {.name = "image",
     .kind = HTTP_PART_FILE,
     .max_bytes = 100,
     .required = true,
     .too_large_code = "image_too_large"},
    {.name = "text", .kind = HTTP_PART_TEXT, .max_bytes = 20, .required = true},
    {.name = "extra", .kind = HTTP_PART_TEXT, .max_bytes = 20},
    {.name = NULL},
};

#define FIELD(name, value)                                                                         \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART(name, value)                                                                     \
    "--b\r\nContent-Disposition: form-data; name=\"" name                                          \
    "\"; filename=\"../../etc/passwd\"\r\n\r\n" value "\r\n"
#define TEN "0123456789"

static int files_in(const char *folder)
{
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    if (open)
        closedir(open);
    return count;
}

/* The whole form, or NULL. */
static struct http_form *receive(const char *body, const char *folder, struct error *err)
{
    AUTO(http_form_free) struct http_form *form = http_form_new(type, rules, folder, err);
    assert_non_null(form);
    if (!http_form_feed(form, bytes_of(body), err) || !http_form_end(form, err))
        return NULL;
    return TAKE(form);
}

static void files_lie_on_disk_under_names_of_ours(void **state)
{
    AUTO(test_dir_free) char *folder = test_dir_new();
    struct error err;
    struct http_form *form =
        receive(FIELD("text", "hi") FILE_PART("image", "pixels") "--b--", folder, &err);
    assert_non_null(form);
    assert_string_equal(http_form_text(form, "text"), "hi");
    assert_null(http_form_text(form, "extra"));
    assert_int_equal(http_form_file_size(form, "image"), 6);
    AUTO(buf_dispose) struct buf content = BUF(100);
    assert_memory_equal(http_form_file(form, "image"), folder, strlen(folder));
    assert_ok(file_read(http_form_file(form, "image"), &content, &err), &err);
    assert_string_equal(buf_string(&content), "pixels");
    http_form_free(form);
    assert_int_equal(files_in(folder), 0);
}

static void a_disowned_file_stays(void **state)
{
    AUTO(test_dir_free) char *folder = test_dir_new();
    struct error err;
    struct http_form *form =
        receive(FIELD("text", "hi") FILE_PART("image", "pixels") "--b--", folder, &err);
    assert_non_null(form);
    http_form_disown_file(form, "image");
    assert_null(http_form_file(form, "image"));
    http_form_free(form);
    assert_int_equal(files_in(folder), 1);
}

static void what_is_wrong_is_named_and_nothing_is_left(void **state)
{
    static const struct {
        const char *body, *code, *field;
    } cases[] = {
        {FIELD("text", "hi") "--b--", "part_missing", "image"},
        {FILE_PART("image", "x") "--b--", "part_missing", "text"},
        {FILE_PART("image", "x") FILE_PART("image", "y"), "part_duplicate", "image"},
        {FIELD("text", "1") FIELD("text", "2"), "part_duplicate", "text"},
        {FILE_PART("text", "1"), "part_kind", "text"},
        {FIELD("nobody", "1"), "part_unknown", NULL},
        {FIELD("../image", "1"), "part_unknown", NULL},
        {FILE_PART("image", TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "1"), "image_too_large",
         "image"},
        {FIELD("text", TEN TEN "1"), "part_too_large", "text"},
        {FIELD("text", "\xe3\x81") "--b--", "part_not_utf8", "text"},
        {FILE_PART("image", "x") FIELD("text", "cut of"), "multipart_malformed", NULL},
    };
    AUTO(test_dir_free) char *folder = test_dir_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {.code = NULL};
        assert_null(receive(cases[i].body, folder, &err));
        assert_string_equal(err.code, cases[i].code);
        if (strcmp(err.code, "part_unknown") == 0)
            assert_non_null(strstr(cases[i].body, err.text)); /* its name is all that it says */
        if (cases[i].field)
            assert_string_equal(err.field, cases[i].field);
        else
            assert_null(err.field);
        assert_int_equal(files_in(folder), 0);
    }
}

static void a_file_may_be_sent_without_a_name_and_be_empty(void **state)
{
    AUTO(test_dir_free) char *folder = test_dir_new();
    struct error err;
    AUTO(http_form_free)
    struct http_form *form = receive(FIELD("image", "") FIELD("text", "") "--b--", folder, &err);
    assert_non_null(form);
    assert_non_null(http_form_file(form, "image"));
    assert_int_equal(http_form_file_size(form, "image"), 0);
    assert_string_equal(http_form_text(form, "text"), "");
}

static void a_folder_that_is_gone_is_an_error(void **state)
{
    struct error err;
    assert_null(receive(FILE_PART("image", "x"), "/nonexistent/spool", &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_lie_on_disk_under_names_of_ours),
        cmocka_unit_test(a_disowned_file_stays),
        cmocka_unit_test(what_is_wrong_is_named_and_nothing_is_left),
        cmocka_unit_test(a_file_may_be_sent_without_a_name_and_be_empty),
        cmocka_unit_test(a_folder_that_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
