/* SPDX-License-Identifier: Apache-2.0 */
#include "syncing/parcels.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

enum { WORTH_KEEPING = 128 * 1024 };

static void put(struct parcels *parcels, struct parcel *parcel)
{
    parcel->next = NULL;
    if (parcels->last)
        parcels->last->next = parcel;
    else
        parcels->first = parcel;
    parcels->last = parcel;
    parcels->size += parcel->bytes.size;
    parcels->count++;
}

void parcels_add(struct parcels *parcels, struct buf *bytes)
{
    struct parcel *parcel = xcalloc(1, sizeof *parcel);
    parcel->bytes = *bytes;
    parcel->bytes.limit = SIZE_MAX / 2;
    *bytes = BUF(bytes->limit);
    put(parcels, parcel);
}

void parcels_append(struct parcels *parcels, struct bytes bytes, size_t most, struct parcels *spare)
{
    struct parcel *last = parcels->last;
    if (!last || last->bytes.size + bytes.size > most) {
        last = spare ? parcels_take(spare) : NULL;
        if (!last) {
            last = xcalloc(1, sizeof *last);
            last->bytes = BUF(SIZE_MAX / 2);
            if (bytes.size >= most) /* nothing will be added to it */
                last->bytes = (struct buf){.data = xmalloc(bytes.size + 1),
                                           .capacity = bytes.size + 1,
                                           .limit = SIZE_MAX / 2};
        }
        put(parcels, last);
    }
    bool fits = buf_append(&last->bytes, bytes, NULL);
    assert(fits);
    parcels->size += bytes.size;
}

struct parcel *parcels_take(struct parcels *parcels)
{
    struct parcel *parcel = parcels->first;
    if (!parcel)
        return NULL;
    parcels->first = parcel->next;
    if (!parcels->first)
        parcels->last = NULL;
    parcels->size -= parcel->bytes.size;
    parcels->count--;
    return parcel;
}

void parcels_keep(struct parcels *spare, struct parcel *parcel, size_t most)
{
    buf_clear(&parcel->bytes);
    if (spare->count < most && parcel->bytes.capacity >= WORTH_KEEPING)
        put(spare, parcel);
    else
        parcel_free(parcel);
}

void parcel_free(struct parcel *parcel)
{
    if (parcel)
        buf_dispose(&parcel->bytes);
    free(parcel);
}

void parcels_clear(struct parcels *parcels)
{
    for (struct parcel *parcel; (parcel = parcels_take(parcels));)
        parcel_free(parcel);
}
