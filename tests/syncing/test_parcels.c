/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes come out as they went in, and memory that was used for them is used again. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "syncing/parcels.h"

enum { MOST = 256 * 1024 };

static void append(struct parcels *parcels, size_t size, uint8_t value, struct parcels *spare)
{
    AUTO(mem_free) uint8_t *bytes = xmalloc(size);
    memset(bytes, value, size);
    parcels_append(parcels, (struct bytes){bytes, size}, MOST, spare);
}

static void they_keep_their_order(void **state)
{
    (void)state;
    struct error err;
    struct parcels parcels = {0};
    append(&parcels, 10, 1, NULL);
    append(&parcels, 20, 1, NULL);
    AUTO(buf_dispose) struct buf given = BUF(1024);
    assert_ok(buf_append(&given, (struct bytes){(const uint8_t *)"\2\2", 2}, &err), &err);
    parcels_add(&parcels, &given);
    assert_int_equal(given.size, 0);
    append(&parcels, 2 * MOST, 3, NULL);
    append(&parcels, 5, 4, NULL);
    assert_int_equal(parcels.size, 37 + 2 * MOST);
    uint8_t last = 0;
    size_t size = 0;
    for (struct parcel *parcel; (parcel = parcels_take(&parcels));) {
        for (size_t i = 0; i < parcel->bytes.size; i++) {
            assert_true(parcel->bytes.data[i] >= last);
            last = parcel->bytes.data[i];
        }
        size += parcel->bytes.size;
        parcel_free(parcel);
    }
    assert_int_equal(last, 4);
    assert_int_equal(size, 37 + 2 * MOST);
    assert_int_equal(parcels.size, 0);
    assert_int_equal(parcels.count, 0);
}

static void memory_is_used_again_but_not_hoarded(void **state)
{
    (void)state;
    struct parcels parcels = {0}, spare = {0};
    for (int i = 0; i < 4; i++)
        append(&parcels, MOST, 1, &spare);
    assert_int_equal(parcels.count, 4);
    for (struct parcel *parcel; (parcel = parcels_take(&parcels));)
        parcels_keep(&spare, parcel, 2);
    assert_int_equal(spare.count, 2);
    const uint8_t *memory = spare.first->bytes.data;
    append(&parcels, 100, 2, &spare);
    assert_ptr_equal(parcels.first->bytes.data, memory);
    assert_int_equal(parcels.first->bytes.size, 100);
    assert_int_equal(spare.count, 1);
    parcels_clear(&parcels);
    append(&parcels, 100, 3, NULL);
    parcels_keep(&spare, parcels_take(&parcels), 2); /* not worth it */
    assert_int_equal(spare.count, 1);
    parcels_clear(&spare);
    assert_int_equal(spare.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_keep_their_order),
        cmocka_unit_test(memory_is_used_again_but_not_hoarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
