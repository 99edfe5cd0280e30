/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/sha256.h"

static void the_standard_examples_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char text[SHA256_TEXT_SIZE];
        sha256_text(bytes_of(examples[i].text), text);
        assert_string_equal(text, examples[i].digest);
    }
}

static void a_million_letters_in_pieces_of_any_size(void **state)
{
    (void)state;
    static uint8_t letters[1000];
    memset(letters, 'a', sizeof letters);
    struct sha256 sha256;
    uint8_t digest[SHA256_SIZE];
    sha256_init(&sha256);
    size_t left = 1000000;
    for (size_t piece = 1; left > 0; piece = piece * 7 % 1000 + 1) {
        size_t size = piece < left ? piece : left;
        sha256_add(&sha256, (struct bytes){letters, size});
        left -= size;
    }
    sha256_end(&sha256, digest);
    static const uint8_t expected[4] = {0xcd, 0xc7, 0x6e, 0x5c};
    assert_memory_equal(digest, expected, sizeof expected);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    char text[SHA256_TEXT_SIZE];
    struct error err;
    assert_false(sha256_file("/nowhere/model.onnx", text, &err));
    assert_error(&err, ERROR_NOT_FOUND, "open /nowhere/model.onnx: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_examples_come_out),
        cmocka_unit_test(a_million_letters_in_pieces_of_any_size),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
