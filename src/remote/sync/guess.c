/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/guess.h"

#include "base/buf.h"
#include "sync/filter.h"
#include "sync/packed.h"

enum {
    LEAST = 4096,
    LOOK = 16 * 1024,       /* for the size of records */
    SAMPLE = 64 * 1024,     /* for what they come to   */
    LANES = 32,             /* of the comparison       */
    TABLE_OF_CODE = 20 * 8, /* bits to describe how often each byte of a column comes */
    TRIAL_LEVEL = 3,
};

static struct bytes middle_of(struct bytes bytes, size_t size)
{
    if (bytes.size <= size)
        return bytes;
    return (struct bytes){bytes.data + (bytes.size - size) / 2, size};
}

/* Text has next to none of the bytes that numbers and programs are full of. */
static bool is_text(struct bytes sample)
{
    size_t strange = 0;
    for (size_t i = 0; i < sample.size; i++)
        strange += sample.data[i] < '\t';
    return strange < sample.size / 64;
}

/* Most of what looks like a call leads somewhere near, and there are many. Object files, in which
 * the linker has yet to say where, do not. */
static bool is_code(struct bytes bytes)
{
    size_t calls = 0, near = 0;
    for (size_t i = 0; i + 5 <= bytes.size; i++) {
        const uint8_t *at = bytes.data + i;
        if (*at != 0xe8)
            continue;
        uint32_t where = read_u32_little(at + 1);
        calls++;
        near += where + (1u << 24) < 1u << 25 && where + 4 > 4;
    }
    return near * 512 >= bytes.size && near * 2 >= calls;
}

/* --- Tables -------------------------------------------------------------------------------- */

/* How many bytes are equal to the one so far behind them. */
static size_t equal_at(struct bytes sample, size_t distance)
{
    size_t equal = 0, end = sample.size - distance;
    for (size_t i = 0; i + LANES * 255 <= end; i += LANES * 255) {
        uint8_t lanes[LANES] = {0};
        for (size_t j = 0; j < 255; j++)
            for (size_t lane = 0; lane < LANES; lane++) {
                const uint8_t *at = sample.data + i + j * LANES + lane;
                lanes[lane] = (uint8_t)(lanes[lane] + (at[0] == at[distance]));
            }
        for (size_t lane = 0; lane < LANES; lane++)
            equal += lanes[lane];
    }
    return equal;
}

/* Within a hundredth; of 1 and more. */
static double log2_of(size_t value)
{
    int whole = 63 - __builtin_clzll(value);
    double part = (double)value / (double)(1ull << whole) - 1;
    return whole + part + 0.3431 * part * (1 - part);
}

/* What a code for these bytes alone would need. */
static double bits_of(const uint32_t counts[256])
{
    double bits = TABLE_OF_CODE;
    size_t total = 0;
    for (size_t i = 0; i < 256; i++) {
        total += counts[i];
        if (counts[i])
            bits -= counts[i] * log2_of(counts[i]);
    }
    return total ? bits + (double)total * log2_of(total) : bits;
}

/* Bytes that the sample would come to as a table, and how. */
static double columns(struct bytes sample, uint8_t stride, struct filter *out)
{
    double bits = 0;
    *out = (struct filter){.kind = FILTER_TABLE, .stride = stride};
    for (size_t column = 0; column < stride; column++) {
        uint32_t plain[256] = {0}, deltas[256] = {0};
        uint8_t above = 0;
        for (size_t i = column; i < sample.size; i += stride) {
            plain[sample.data[i]]++;
            deltas[(uint8_t)(sample.data[i] - above)]++;
            above = sample.data[i];
        }
        double as_is = bits_of(plain), as_delta = bits_of(deltas);
        if (as_delta < as_is)
            out->deltas |= UINT64_C(1) << column;
        bits += as_delta < as_is ? as_delta : as_is;
    }
    return bits / 8;
}

static bool is_table(struct bytes bytes, struct filter *out)
{
    enum { TRIED = 3 };
    struct bytes look = middle_of(bytes, LOOK), sample = middle_of(bytes, SAMPLE);
    size_t most[TRIED] = {0};
    uint8_t strides[TRIED] = {0};
    for (int stride = 2; stride <= FILTER_STRIDE_MAX; stride++) {
        size_t equal = equal_at(look, (size_t)stride), at = 0;
        while (at < TRIED && equal <= most[at] + most[at] / 50) /* rather the smaller one */
            at++;
        if (at == TRIED)
            continue;
        for (size_t i = TRIED - 1; i > at; i--) {
            most[i] = most[i - 1];
            strides[i] = strides[i - 1];
        }
        most[at] = equal;
        strides[at] = (uint8_t)stride;
    }
    double best = (double)sample.size;
    struct filter found = {0};
    for (size_t i = 0; i < TRIED && strides[i]; i++) {
        struct filter filter;
        double size = columns(sample, strides[i], &filter);
        if (size < best)
            found = filter;
        best = size < best ? size : best;
    }
    if (best * 8 > (double)sample.size * 7)
        return false;
    AUTO(buf_dispose) struct buf packed = BUF(2 * SAMPLE);
    double plain =
        packed_once(sample, TRIAL_LEVEL, &packed) ? (double)packed.size : (double)sample.size;
    *out = found;
    return best * 8 < plain * 7;
}

bool guess_filter(struct bytes bytes, uint64_t base, struct filter *out)
{
    if (bytes.size < LEAST || is_text(middle_of(bytes, LOOK)))
        return false;
    if (is_code(bytes)) {
        *out = (struct filter){.kind = FILTER_X86, .base = base};
        return true;
    }
    struct filter table;
    bool found = is_table(bytes, &table);
    if (found)
        *out = table;
    return found;
}
