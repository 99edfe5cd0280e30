/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "decoder/swell.h"

static void put_u32(struct buf *out, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    assert_true(buf_append(out, (struct bytes){bytes, 4}, NULL));
}

static void put_chunk(struct buf *out, const char *name, struct bytes content)
{
    put_u32(out, (uint32_t)content.size);
    assert_true(buf_append(out, (struct bytes){(const uint8_t *)name, 4}, NULL));
    assert_true(buf_append(out, content, NULL));
    put_u32(out, 0); /* nobody looks at the sum here */
}

/* A PNG of 100 x 100 pixels in RGB with this many bytes of rows, in chunks of `part` bytes. */
static bool swells(size_t bytes, bool interlaced, size_t part)
{
    AUTO(buf_dispose) struct buf file = BUF(1 << 20);
    AUTO(mem_free) uint8_t *rows = xcalloc(bytes, 1);
    AUTO(mem_free) uint8_t *packed = xmalloc(1 << 20);
    uLongf size = 1 << 20;
    assert_int_equal(compress(packed, &size, rows, bytes), Z_OK);
    const uint8_t header[13] = {0, 0, 0, 100, 0, 0, 0, 100, 8, 2, 0, 0, interlaced};
    assert_true(buf_text(&file, "\x89PNG\r\n\x1a\n", NULL));
    put_chunk(&file, "IHDR", (struct bytes){header, sizeof header});
    put_chunk(&file, "tEXt", (struct bytes){(const uint8_t *)"a\0b", 3});
    for (size_t at = 0; at < size; at += part)
        put_chunk(&file, "IDAT", (struct bytes){packed + at, size - at < part ? size - at : part});
    put_chunk(&file, "IEND", (struct bytes){NULL, 0});
    return photo_swells(PHOTO_PNG, buf_bytes(&file));
}

static void a_png_may_hold_its_rows_and_little_more(void **state)
{
    (void)state;
    const size_t rows = 100 * 301, passes = 100 * 300 + 13 + 13 + 12 + 25 + 25 + 50 + 50;
    assert_false(swells(rows, false, 1 << 20));
    assert_false(swells(rows, false, 7));
    assert_false(swells(rows / 2, false, 1 << 20));
    assert_false(swells(passes, true, 64));
    assert_false(swells(rows + 1000, false, 1 << 20));
    assert_true(swells(rows + (1 << 20), false, 1 << 20));
    assert_true(swells(rows + (1 << 20), true, 100));
    assert_true(swells(rows + (20 << 20), false, 1 << 20));
}

static void a_jpeg_may_come_in_some_passes(void **state)
{
    (void)state;
    static const uint8_t start[] = {0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xda, 0, 0};
    static const uint8_t scan[] = {0xff, 0xda, 0, 4, 1, 2, 7, 7, 0xff, 0, 7, 0xff, 0xd3, 7};
    for (int count = 10; count <= 1000; count *= 10) {
        AUTO(buf_dispose) struct buf file = BUF(1 << 20);
        assert_true(buf_append(&file, (struct bytes){start, sizeof start}, NULL));
        for (int i = 0; i < count; i++)
            assert_true(buf_append(&file, (struct bytes){scan, sizeof scan}, NULL));
        assert_int_equal(photo_swells(PHOTO_JPEG, buf_bytes(&file)), count >= 100);
        assert_false(photo_swells(PHOTO_PNG, buf_bytes(&file)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_may_hold_its_rows_and_little_more),
        cmocka_unit_test(a_jpeg_may_come_in_some_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
