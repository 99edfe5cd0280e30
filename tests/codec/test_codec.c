/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "codec/codec.h"
#include "media/picture.h"

static struct picture gradient(int channels)
{
    struct picture picture = picture_new(37, 21, channels);
    for (int y = 0; y < picture.height; y++)
        for (int x = 0; x < picture.width; x++)
            for (int c = 0; c < channels; c++)
                picture_row(&picture, y)[x * channels + c] =
                    (uint8_t)(c == 3 ? x * 6 : (x * 5 + y * 7 + c * 40) % 256);
    return picture;
}

static bool starts(const struct buf *file, const char *bytes, size_t at, size_t size)
{
    return file->size > at + size && memcmp(file->data + at, bytes, size) == 0;
}

static void each_kind_is_what_it_says(void **state)
{
    const int channels[] = {PICTURE_GREY, PICTURE_RGB, PICTURE_RGBA}, colours[] = {0, 2, 6};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        AUTO(picture_dispose) struct picture picture = gradient(channels[i]);
        AUTO(buf_dispose) struct buf file = BUF(1 << 20);
        struct error err;
        assert_ok(picture_to_png(&picture, &file, &err), &err);
        assert_true(starts(&file, "\x89PNG\r\n\x1a\n", 0, 8));
        assert_int_equal(file.data[19], 37); /* IHDR: width, height, bits, colour */
        assert_int_equal(file.data[23], 21);
        assert_int_equal(file.data[25], colours[i]);
        buf_clear(&file);
        bool webp = picture_to_webp(&picture, 80, &file, &err);
        assert_int_equal(webp, i > 0);
        assert_true(!webp || (starts(&file, "RIFF", 0, 4) && starts(&file, "WEBP", 8, 4)));
        buf_clear(&file);
        bool jpeg = picture_to_jpeg(&picture, 80, &file, &err);
        assert_int_equal(jpeg, i < 2);
        assert_true(!jpeg || starts(&file, "\xff\xd8\xff", 0, 3));
    }
}

static void no_room_is_an_error_and_leaves_nothing(void **state)
{
    AUTO(picture_dispose) struct picture picture = gradient(PICTURE_RGBA);
    AUTO(picture_dispose) struct picture plain = gradient(PICTURE_RGB);
    AUTO(buf_dispose) struct buf file = BUF(200);
    struct error err = {.kind = ERROR_INTERNAL};
    assert_true(buf_text(&file, "before", &err));
    assert_false(picture_to_png(&picture, &file, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_string_equal(buf_string(&file), "before");
    file.limit = 50;
    assert_false(picture_to_webp(&picture, 100, &file, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_false(picture_to_jpeg(&plain, 100, &file, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
    assert_int_equal(file.size, 6);
}

static void data_urls_are_base64(void **state)
{
    static const char *const rows[][2] = {{"", "data:a/b;base64,"},
                                          {"f", "data:a/b;base64,Zg=="},
                                          {"fo", "data:a/b;base64,Zm8="},
                                          {"foo", "data:a/b;base64,Zm9v"},
                                          {"foob\xff", "data:a/b;base64,Zm9vYv8="}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(buf_dispose) struct buf file = BUF(64);
        struct error err;
        assert_ok(buf_text(&file, rows[i][0], &err), &err);
        AUTO(mem_free) char *url = data_url("a/b", &file);
        assert_string_equal(url, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_what_it_says),
        cmocka_unit_test(no_room_is_an_error_and_leaves_nothing),
        cmocka_unit_test(data_urls_are_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
