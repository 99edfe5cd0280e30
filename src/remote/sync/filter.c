/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/filter.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

bool filter_is_valid(const struct filter *filter)
{
    switch ((enum filter_kind)filter->kind) {
    case FILTER_NONE:
    case FILTER_X86:
        return true;
    case FILTER_TABLE:
        return filter->stride >= 2 && filter->stride <= FILTER_STRIDE_MAX &&
               (filter->stride == 64 || filter->deltas >> filter->stride == 0);
    }
    return false;
}

/* --- Programs ------------------------------------------------------------------------------ */

enum {
    OPERAND = 4,
    REACH_BITS = 26, /* of an operand: what is farther away is left alone */
};
static const uint32_t REACH = UINT32_C(1) << REACH_BITS, HALF = UINT32_C(1) << (REACH_BITS - 1);

/* Whether four bytes relative to the place behind them follow the one at `at`, as far as it and
 * those in front of it tell; `before` of them, at most two, may be looked at. */
static inline bool is_relative(const uint8_t *at, size_t before)
{
    uint8_t byte = at[0];
    if (byte == 0xe8) /* call */
        return true;
    if ((byte & 0xc7) != 0x05 || before == 0) /* no address relative to the instruction */
        return false;
    uint8_t code = at[-1];
    switch (code) {
    case 0x03:
    case 0x0b:
    case 0x2b:
    case 0x33:
    case 0x39:
    case 0x3b:
    case 0x63:
    case 0x80:
    case 0x83:
    case 0x85:
    case 0x89:
    case 0x8b:
    case 0x8d:
    case 0xc6:
    case 0xc7:
    case 0xff:
        return true;
    case 0x10:
    case 0x11:
    case 0x28:
    case 0x29:
    case 0x2e:
    case 0x2f:
    case 0x54:
    case 0x57:
    case 0x58:
    case 0x59:
    case 0x5c:
    case 0x5e:
    case 0x6e:
    case 0x6f:
    case 0x7e:
    case 0x7f:
    case 0xd6:
    case 0xef:
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf:
        return before > 1 && at[-2] == 0x0f;
    default:
        return false;
    }
}

static inline void write_little(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < OPERAND; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* Adds `place` within the reach: a one-to-one map of the values there onto themselves. */
static inline uint32_t shifted(uint32_t value, uint32_t place)
{
    return ((value + HALF + place) & (REACH - 1)) - HALF;
}

static inline bool is_near(uint32_t value)
{
    return value + HALF < REACH;
}

/* Instructions are not told from what only looks like some: both ways take the same bytes for
 * operands, for what is in front of them is the same, as nothing looks into an operand. One that
 * leads too far is only turned round. */
static void x86(const struct filter *filter, struct bytes in, uint8_t *out, bool undo)
{
    memcpy(out, in.data, in.size);
    for (size_t i = 0, free = 0; in.size > OPERAND && i < in.size - OPERAND; i++) {
        if (!is_relative(in.data + i, i - free))
            continue;
        uint32_t place = (uint32_t)(filter->base + i + 1 + OPERAND);
        uint32_t value = undo ? read_u32(in.data + i + 1) : read_u32_little(in.data + i + 1);
        if (is_near(value))
            value = shifted(value, undo ? 0 - place : place);
        if (undo)
            write_little(out + i + 1, value);
        else
            write_u32(out + i + 1, value);
        i += OPERAND;
        free = i + 1;
    }
}

/* --- Tables -------------------------------------------------------------------------------- */

static void to_columns(const struct filter *filter, struct bytes in, uint8_t *out)
{
    size_t stride = filter->stride, rows = in.size / stride;
    for (size_t column = 0; column < stride; column++) {
        bool delta = filter->deltas >> column & 1;
        const uint8_t *from = in.data + column;
        uint8_t above = 0;
        for (size_t row = 0; row < rows; row++, from += stride) {
            *out++ = (uint8_t)(*from - above);
            above = delta ? *from : 0;
        }
    }
    memcpy(out, in.data + rows * stride, in.size - rows * stride);
}

static void from_columns(const struct filter *filter, struct bytes in, uint8_t *out)
{
    size_t stride = filter->stride, rows = in.size / stride;
    const uint8_t *from = in.data;
    for (size_t column = 0; column < stride; column++) {
        bool delta = filter->deltas >> column & 1;
        uint8_t *to = out + column, above = 0;
        for (size_t row = 0; row < rows; row++, to += stride) {
            *to = (uint8_t)(*from++ + above);
            above = delta ? *to : 0;
        }
    }
    memcpy(out + rows * stride, from, in.size - rows * stride);
}

/* ------------------------------------------------------------------------------------------- */

static void pass(const struct filter *filter, struct bytes in, uint8_t *out, bool undo)
{
    assert(filter_is_valid(filter));
    if (in.size == 0)
        return;
    switch ((enum filter_kind)filter->kind) {
    case FILTER_NONE:
        memcpy(out, in.data, in.size);
        return;
    case FILTER_X86:
        return x86(filter, in, out, undo);
    case FILTER_TABLE:
        return undo ? from_columns(filter, in, out) : to_columns(filter, in, out);
    }
}

void filter_apply(const struct filter *filter, struct bytes in, uint8_t *out)
{
    pass(filter, in, out, false);
}

void filter_undo(const struct filter *filter, struct bytes in, uint8_t *out)
{
    pass(filter, in, out, true);
}

bool filter_undo_into(const struct filter *filter, struct bytes *bytes, struct buf *scratch,
                      struct error *err)
{
    if (filter->kind == FILTER_NONE)
        return true;
    buf_clear(scratch);
    uint8_t *room = buf_reserve(scratch, bytes->size, err);
    if (!room)
        return false;
    filter_undo(filter, *bytes, room);
    buf_commit(scratch, bytes->size);
    *bytes = buf_bytes(scratch);
    return true;
}
