/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/mem.h"
#include "sync/chunk.h"

static void put_bytes(int fd, const uint8_t *bytes, size_t size)
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

/* The list says of the content what is true of it, wherever its parts were taken from. */
static void assert_list(const struct chunk_list *list, struct bytes content)
{
    uint64_t at = 0;
    assert_int_equal(list->size, content.size);
    for (uint32_t i = 0; i < list->count; i++) {
        struct bytes piece = {content.data + at, list->items[i].size};
        assert_true(hash128_equal(list->items[i].hash, hash128_of(piece)));
        at += piece.size;
    }
    assert_int_equal(at, content.size);
    for (size_t i = 0; i < sum_block_count(list->size); i++) {
        size_t from = i * SUM_BLOCK, left = content.size - from;
        struct bytes block = {content.data + from, left < SUM_BLOCK ? left : SUM_BLOCK};
        assert_true(hash128_equal(chunk_blocks(list)[i], hash128_of(block)));
    }
    assert_true(hash128_equal(list->content, sum_of(content)));
}

static void random_edits_of_a_large_file_are_found(void **state)
{
    enum { SIZE = 5 << 20, ROUNDS = 24 };
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
        put_bytes(fd, old, SIZE);
        assert_ok(chunk_scan(fd, SIZE, NULL, NULL, &before, &err), &err);
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
        put_bytes(fd, new, size);
        assert_ok(chunk_scan(fd, size, before.list, NULL, &after, &err), &err);
        assert_list(after.list, (struct bytes){new, size});
        assert_rebuilds(&after, old, new, size);
        assert_true(after.literal_bytes < 100 * 1024);
    }
}

/* Enough for several threads, whose parts are put together as one would have done it. */
static void a_sum_is_the_same_however_it_is_made(void **state)
{
    static const size_t sizes[] = {0, 1, SUM_BLOCK - 1, SUM_BLOCK, SUM_BLOCK + 1, 40 << 20};
    struct error err;
    AUTO(test_dir_free) char *top = test_dir_new();
    AUTO(mem_free) char *path = xasprintf("%s/big", top);
    AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO(mem_free) uint8_t *bytes = xmalloc(40 << 20);
    for (size_t i = 0; i < 40 << 20; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes content = {bytes, sizes[i]};
        struct hash128 sum;
        put_bytes(fd, bytes, sizes[i]);
        assert_ok(sum_file(fd, sizes[i], &sum, NULL, &err), &err);
        assert_true(hash128_equal(sum, sum_of(content)));
        AUTO(summer_free) struct summer *summer = summer_new();
        for (size_t at = 0; at < content.size; at += 700001)
            summer_add(summer,
                       (struct bytes){bytes + at,
                                      content.size - at < 700001 ? content.size - at : 700001});
        assert_true(hash128_equal(sum, summer_end(summer)));
    }
    struct hash128 sum;
    assert_false(sum_file(fd, (40 << 20) + 1, &sum, NULL, &err));
    assert_error(&err, ERROR_CONFLICT, "the file became shorter while it was read");
    assert_false(sum_file(fd, UINT64_MAX, &sum, NULL, &err));
    assert_int_equal(err.kind, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits_of_a_large_file_are_found),
        cmocka_unit_test(a_sum_is_the_same_however_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
