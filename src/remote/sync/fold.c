/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/fold.h"

#include "sync/fold_internal.h"

static uint32_t lower_of(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    if (code >= 0x3000 && code < 0xa640)
        return code; /* kana and ideographs have no case */
    for (size_t i = 0; i < fold_lower_count; i++) {
        const struct fold_lower *row = &fold_lowers[i];
        if (code >= row->from && code <= row->to)
            if ((code - row->from) % (uint32_t)row->step == 0)
                return (uint32_t)((int32_t)code + row->delta);
    }
    return code;
}

static const struct fold_composed *composed_of(uint32_t code)
{
    size_t low = 0, high = fold_composed_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (fold_composed[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < fold_composed_count && fold_composed[low].code == code ? &fold_composed[low]
                                                                        : NULL;
}

/* Hangul syllables are composed by arithmetic. */
static size_t fold_hangul(uint32_t code, uint32_t out[FOLD_PARTS])
{
    enum { FIRST = 0xac00, LEADS = 0x1100, VOWELS = 0x1161, TAILS = 0x11a7 };
    uint32_t index = code - FIRST, tail = index % 28;
    out[0] = LEADS + index / (21 * 28);
    out[1] = VOWELS + index % (21 * 28) / 28;
    out[2] = TAILS + tail;
    return tail ? 3 : 2;
}

size_t fold_code_point(uint32_t code, uint32_t out[FOLD_PARTS])
{
    if (code >= 0xac00 && code <= 0xd7a3)
        return fold_hangul(code, out);
    uint32_t marks[FOLD_PARTS];
    size_t count = 0, used = 0;
    for (const struct fold_composed *row;
         code >= 0xc0 && count < FOLD_PARTS - 1 && (row = composed_of(code)); code = row->base)
        marks[count++] = row->mark;
    out[used++] = lower_of(code);
    while (count)
        out[used++] = marks[--count];
    return used;
}
