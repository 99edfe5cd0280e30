/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "decoder/sniff.h"

#define BYTES(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static void formats_are_known_by_their_first_bytes(void **state)
{
    (void)state;
    assert_int_equal(photo_sniff(BYTES("\xff\xd8\xff\xe0")), PHOTO_JPEG);
    assert_int_equal(photo_sniff(BYTES("\x89PNG\r\n\x1a\n")), PHOTO_PNG);
    assert_int_equal(photo_sniff(BYTES("RIFF0000WEBPVP8 ")), PHOTO_WEBP);
    assert_int_equal(photo_sniff(BYTES("II*\0")), PHOTO_TIFF);
    assert_int_equal(photo_sniff(BYTES("MM\0*")), PHOTO_TIFF);
    assert_int_equal(photo_sniff(BYTES("GIF89a")), PHOTO_GIF);
    assert_int_equal(photo_sniff(BYTES("\0\0\0\x18"
                                       "ftypheic\0\0\0\0mif1heic")),
                     PHOTO_HEIF);
    assert_int_equal(photo_sniff(BYTES("\0\0\0\x18"
                                       "ftypmif1\0\0\0\0avifmif1")),
                     PHOTO_HEIF);
}

static void what_is_no_picture_is_none(void **state)
{
    (void)state;
    const struct bytes others[] = {
        BYTES(""),
        BYTES("\xff\xd8"),
        BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"),
        BYTES("%PDF-1.4"),
        BYTES("RIFF0000WAVEfmt "),
        BYTES("BM0000"),
        BYTES("PK\3\4"),
        BYTES("\0\0\0\x18"
              "ftypisom\0\0\0\0mp41avc1"),
        BYTES("<!-- \xff\xd8\xff -->"),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(photo_sniff(others[i]), PHOTO_NONE);
}

static void animation_is_seen_without_decoding(void **state)
{
    (void)state;
    assert_true(photo_moves(PHOTO_PNG, BYTES("\x89PNG\r\n\x1a\n\0\0\0\0acTL0000")));
    assert_false(
        photo_moves(PHOTO_PNG, BYTES("\x89PNG\r\n\x1a\n\0\0\0\0IDAT0000\0\0\0\0acTL0000")));
    assert_true(photo_moves(PHOTO_WEBP, BYTES("RIFF0000WEBPVP8X\x0a\0\0\0\x02")));
    assert_false(photo_moves(PHOTO_WEBP, BYTES("RIFF0000WEBPVP8X\x0a\0\0\0\x10")));
    assert_true(photo_moves(PHOTO_HEIF, BYTES("\0\0\0\x18"
                                              "ftypavis\0\0\0\0avifmif1")));
    assert_false(photo_moves(PHOTO_JPEG, BYTES("\xff\xd8\xff")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_known_by_their_first_bytes),
        cmocka_unit_test(what_is_no_picture_is_none),
        cmocka_unit_test(animation_is_seen_without_decoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
