/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "sync/chunk.h"
#include "sync/path.h"

static void good_paths_pass_and_bad_ones_are_named(void **state)
{
    struct error err;
    assert_true(path_check(bytes_of("a/b c/\xff\n.d"), &err));
    assert_true(path_check(bytes_of("..."), &err));
    assert_true(path_check(bytes_of("a/.vma-stage"), &err));
    assert_false(path_check(bytes_of("a/../b"), &err));
    assert_error(&err, ERROR_INVALID, "path a/../b leads astray");
    assert_false(path_check((struct bytes){(const uint8_t *)"a\0b", 3}, &err));
    assert_false(path_check(bytes_of(".vma-stage/x"), &err));
}

static void odd_names_are_shown_so_that_nothing_is_hidden(void **state)
{
    char text[PATH_TEXT_SIZE];
    assert_string_equal(path_text("日本語/a b", text), "日本語/a b");
    assert_string_equal(path_text("a\nb\x1b[31m\xff", text), "a\\x0ab\\x1b[31m\\xff");
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(strlen(path_text(longer, text)) < PATH_TEXT_SIZE);
}

static void names_that_other_systems_merge_have_one_hash(void **state)
{
    static const char *const same[][2] = {
        {"README", "readme"},
        {"caf\xc3\xa9", "cafe\xcc\x81"},              /* é composed, and e with an accent */
        {"\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"}, /* が and か with its mark */
        {"\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"}, /* 한 and its letters */
        {"\xc3\x89", "e\xcc\x81"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(path_fold_hash(bytes_of(same[i][0])) == path_fold_hash(bytes_of(same[i][1])));
    assert_true(path_fold_hash(bytes_of("a")) != path_fold_hash(bytes_of("b")));
    assert_true(path_fold_hash(bytes_of("123")) == 0);
}

static void write_at(int fd, const uint8_t *bytes, size_t size)
{
    struct error err;
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_ok(fd_write_all(fd, (struct bytes){bytes, size}, &err), &err);
}

/* What the segments make of the old content must be the new one. */
static void assert_rebuilds(const struct chunk_result *result, const uint8_t *old,
                            const uint8_t *new, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < result->segment_count; i++) {
        const struct chunk_segment *segment = &result->segments[i];
        assert_true(segment->size <= size - at);
        if (segment->old_offset != CHUNK_LITERAL)
            assert_memory_equal(old + segment->old_offset, new + at, segment->size);
        at += segment->size;
    }
    assert_int_equal(at, size);
}

static void random_edits_of_a_large_file_are_found(void **state)
{
    enum { SIZE = 2 << 20, ROUNDS = 25 };
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/big", top);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO(mem_free) uint8_t *old = xmalloc(SIZE);
    AUTO(mem_free) uint8_t *new = xmalloc(SIZE + 1000);
    struct error err;
    srandom(4);
    for (size_t i = 0; i < SIZE; i++)
        old[i] = (uint8_t)random();
    for (unsigned round = 0; round < ROUNDS; round++) {
        AUTO(chunk_result_dispose) struct chunk_result before = {0};
        AUTO(chunk_result_dispose) struct chunk_result after = {0};
        write_at(fd, old, SIZE);
        assert_ok(chunk_scan(fd, SIZE, NULL, &before, &err), &err);
        assert_true(before.literal_bytes == SIZE);
        size_t place = (size_t)random() % SIZE, count = (size_t)random() % 1000;
        size_t size = SIZE;
        memcpy(new, old, place);
        if (round % 3 == 0) { /* changed in place */
            memcpy(new + place, old + place, SIZE - place);
            new[place] ^= 1;
        } else if (round % 3 == 1) { /* inserted */
            memset(new + place, 7, count);
            memcpy(new + place + count, old + place, SIZE - place);
            size += count;
        } else { /* removed */
            count = count < SIZE - place ? count : SIZE - place;
            memcpy(new + place, old + place + count, SIZE - place - count);
            size -= count;
        }
        write_at(fd, new, size);
        assert_ok(chunk_scan(fd, size, before.list, &after, &err), &err);
        assert_true(hash128_equal(after.list->content, hash128_of((struct bytes){new, size})));
        assert_rebuilds(&after, old, new, size);
        assert_true(after.literal_bytes < 100 * 1024);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_paths_pass_and_bad_ones_are_named),
        cmocka_unit_test(odd_names_are_shown_so_that_nothing_is_hidden),
        cmocka_unit_test(names_that_other_systems_merge_have_one_hash),
        cmocka_unit_test(random_edits_of_a_large_file_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
