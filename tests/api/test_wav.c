/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include "api/wav.h"
#include "base/buf.h"

static void a_file_says_how_long_it_is_and_samples_are_clipped(void **state)
{
    static const uint8_t expected[] = {
        'R', 'I', 'F', 'F', 44, 0, 0,    0,    'W', 'A', 'V',  'E',  'f',  'm',  't',  ' ',  16, 0,
        0,   0,   1,   0,   1,  0, 0x80, 0x3e, 0,   0,   0,    0x7d, 0,    0,    2,    0,    16, 0,
        'd', 'a', 't', 'a', 8,  0, 0,    0,    0,   0,   0xff, 0x7f, 0x01, 0x80, 0xff, 0x7f,
    };
    const float samples[] = {0, 1, -1, 3};
    AUTO(buf_dispose) struct buf out = BUF(100);
    struct error err;
    assert_ok(wav_header(&out, 16000, 4, &err), &err);
    assert_ok(wav_samples(&out, samples, 4, &err), &err);
    assert_bytes_equal(buf_bytes(&out), (struct bytes){expected, sizeof expected});
}

static void a_limit_is_kept(void **state)
{
    const float samples[] = {0, 1, -1, 3};
    AUTO(buf_dispose) struct buf out = BUF(50);
    struct error err;
    assert_ok(wav_header(&out, 16000, 4, &err), &err);
    assert_false(wav_samples(&out, samples, 4, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_says_how_long_it_is_and_samples_are_clipped),
        cmocka_unit_test(a_limit_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
