/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "sync/filter.h"
#include "sync/guess.h"
#include "sync/packed.h"

enum { SIZE = 64 * 1024 };

static uint32_t next(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random >> 8;
}

static void assert_comes_back(const struct filter *filter, const uint8_t *data, size_t size)
{
    AUTO(mem_free) uint8_t *in = xmalloc(size + 1); /* of that size: reading on is seen */
    AUTO(mem_free) uint8_t *there = xmalloc(size + 1);
    AUTO(mem_free) uint8_t *back = xmalloc(size + 1);
    memcpy(in, data, size);
    filter_apply(filter, (struct bytes){in, size}, there);
    filter_undo(filter, (struct bytes){there, size}, back);
    assert_memory_equal(in, back, size);
    filter_undo(filter, (struct bytes){in, size}, there); /* whatever it is made of */
    filter_apply(filter, (struct bytes){there, size}, back);
    assert_memory_equal(in, back, size);
}

/* Calls of three functions, jumps over little, addresses of four variables, and noise. */
static void put_code(uint8_t *code, size_t size, uint32_t base)
{
    uint32_t random = 7;
    for (size_t i = 0; i < size; i++)
        code[i] = (uint8_t)next(&random);
    for (size_t at = 0; at + 24 < size; at += 16 + next(&random) % 8) {
        bool call = next(&random) % 2;
        uint32_t where =
            call ? 0x1000 * (1 + next(&random) % 3) : 0x80000 + 8 * (next(&random) % 4);
        uint8_t *operand = code + at + (call ? 1 : 3);
        memcpy(code + at, call ? "\xe8" : "\x48\x8b\x05", call ? 1 : 3);
        uint32_t relative = where - (base + (uint32_t)(operand + 4 - code));
        for (unsigned i = 0; i < 4; i++)
            operand[i] = (uint8_t)(relative >> 8 * i);
    }
}

/* Records of 35 bytes: counters, a few kinds, noise. */
static void put_table(uint8_t *table, size_t size)
{
    uint32_t random = 3;
    for (size_t i = 0; i < size; i++) {
        size_t row = i / 35, column = i % 35;
        table[i] = (uint8_t)(column < 8    ? row * (column + 1)
                             : column < 20 ? next(&random)
                                           : next(&random) % 4);
    }
}

static size_t packed_size(const uint8_t *data, size_t size)
{
    AUTO(buf_dispose) struct buf out = BUF(1 << 20);
    return packed_once((struct bytes){data, size}, 8, &out) ? out.size : size;
}

static void whatever_is_filtered_comes_back(void **state)
{
    (void)state;
    uint8_t data[512];
    uint32_t random = 1;
    for (unsigned round = 0; round < 4000; round++) {
        size_t size = next(&random) % sizeof data;
        for (size_t i = 0; i < size; i++) { /* full of what looks like instructions */
            static const uint8_t likely[] = {0xe8, 0x05, 0x8b, 0x0f, 0x0d, 0xff, 0x00, 0x10};
            uint32_t value = next(&random);
            data[i] = value % 4 ? likely[value / 4 % sizeof likely] : (uint8_t)(value >> 4);
        }
        uint64_t base = (uint64_t)next(&random) << 20 | next(&random);
        assert_comes_back(&(struct filter){.kind = FILTER_X86, .base = base}, data, size);
        uint8_t stride = (uint8_t)(2 + next(&random) % (FILTER_STRIDE_MAX - 1));
        uint64_t deltas = (uint64_t)next(&random) << 40 | next(&random);
        deltas &= stride == 64 ? UINT64_MAX : (UINT64_C(1) << stride) - 1;
        struct filter table = {.kind = FILTER_TABLE, .stride = stride, .deltas = deltas};
        assert_true(filter_is_valid(&table));
        assert_comes_back(&table, data, size);
        assert_comes_back(&(struct filter){0}, data, size);
    }
}

static void a_program_becomes_smaller(void **state)
{
    (void)state;
    AUTO(mem_free) uint8_t *code = xmalloc(SIZE);
    AUTO(mem_free) uint8_t *out = xmalloc(SIZE);
    struct filter filter;
    put_code(code, SIZE, 1 << 20);
    assert_true(guess_filter((struct bytes){code, SIZE}, 1 << 20, &filter));
    assert_int_equal(filter.kind, FILTER_X86);
    filter_apply(&filter, (struct bytes){code, SIZE}, out);
    assert_true(packed_size(out, SIZE) * 10 < packed_size(code, SIZE) * 9);
    assert_comes_back(&filter, code, SIZE);
}

static void records_of_one_size_become_smaller(void **state)
{
    (void)state;
    AUTO(mem_free) uint8_t *table = xmalloc(SIZE);
    AUTO(mem_free) uint8_t *out = xmalloc(SIZE);
    struct filter filter;
    put_table(table, SIZE);
    assert_true(guess_filter((struct bytes){table, SIZE}, 0, &filter));
    assert_int_equal(filter.kind, FILTER_TABLE);
    assert_int_equal(filter.stride, 35);
    filter_apply(&filter, (struct bytes){table, SIZE}, out);
    assert_true(packed_size(out, SIZE) * 10 < packed_size(table, SIZE) * 9);
    assert_comes_back(&filter, table, SIZE);
}

static void text_and_noise_stay_as_they_are(void **state)
{
    (void)state;
    AUTO(mem_free) uint8_t *data = xmalloc(SIZE);
    struct filter filter = {0};
    uint32_t random = 5;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)next(&random);
    assert_false(guess_filter((struct bytes){data, SIZE}, 0, &filter));
    for (size_t i = 0; i < SIZE; i++)
        data[i] = i % 40 == 39 ? '\n' : (uint8_t)('a' + next(&random) % 20);
    assert_false(guess_filter((struct bytes){data, SIZE}, 0, &filter));
    assert_false(guess_filter((struct bytes){data, 100}, 0, &filter));
    assert_int_equal(filter.kind, FILTER_NONE);
}

static void a_filter_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_false(filter_is_valid(&(struct filter){.kind = 9}));
    assert_false(filter_is_valid(&(struct filter){.kind = FILTER_TABLE, .stride = 1}));
    assert_false(filter_is_valid(&(struct filter){.kind = FILTER_TABLE, .stride = 65}));
    assert_false(filter_is_valid(&(struct filter){.kind = FILTER_TABLE, .stride = 3, .deltas = 8}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_filtered_comes_back),
        cmocka_unit_test(a_program_becomes_smaller),
        cmocka_unit_test(records_of_one_size_become_smaller),
        cmocka_unit_test(text_and_noise_stay_as_they_are),
        cmocka_unit_test(a_filter_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
