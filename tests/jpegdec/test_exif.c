/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "jpegdec/exif.h"

#define BYTES(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})
#define LITTLE      "Exif\0\0II*\0\x08\0\0\0"
#define BIG         "Exif\0\0MM\0*\0\0\0\x08"

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    assert_int_equal(exif_orientation(BYTES(LITTLE "\x01\0"
                                                   "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0")),
                     6);
    assert_int_equal(exif_orientation(BYTES(BIG "\0\x01"
                                                "\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0")),
                     8);
}

static void it_is_found_behind_other_entries(void **state)
{
    (void)state;
    assert_int_equal(exif_orientation(BYTES(LITTLE "\x02\0"
                                                   "\x0f\x01\x02\0\x01\0\0\0\x41\0\0\0"
                                                   "\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0")),
                     3);
}

static void what_makes_no_sense_is_upright(void **state)
{
    (void)state;
    const struct bytes blocks[] = {
        BYTES(""),
        BYTES("Exif\0\0"),
        BYTES("http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"),
        BYTES("Exif\0\0IM*\0\x08\0\0\0\0\0"),
        BYTES("Exif\0\0II*\0\xff\xff\xff\xff\0\0"),
        BYTES(LITTLE "\xff\xff"),
        BYTES(LITTLE "\x01\0"
                     "\x12\x01\x03\0\x01\0\0"),
        BYTES(LITTLE "\x01\0"
                     "\x12\x01\x03\0\x01\0\0\0\x09\0\0\0\0\0\0\0"),
        BYTES(LITTLE "\x01\0"
                     "\x12\x01\x04\0\x01\0\0\0\x06\0\0\0\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        assert_int_equal(exif_orientation(blocks[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(it_is_found_behind_other_entries),
        cmocka_unit_test(what_makes_no_sense_is_upright),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
