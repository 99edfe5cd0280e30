/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes put into another order or form in which they compress better, and back. Each is the inverse
 * of the other for all bytes, whatever they are, and keeps their count.
 *
 * FILTER_X86: in programs for x86, the calls, jumps and addresses that are relative to the place
 * they stand at are made absolute, high byte first: what is used in many places looks the same
 * there.
 *
 * FILTER_TABLE: records of one size are turned into columns, one behind the other: first bytes,
 * second bytes …; those marked in `deltas` hold the difference to the record above. What is behind
 * the last whole record stays at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

enum filter_kind { FILTER_NONE, FILTER_X86, FILTER_TABLE };
enum { FILTER_STRIDE_MAX = 64 };

struct filter {
    uint8_t kind;
    uint8_t stride;  /* TABLE: bytes in a record, 2 to FILTER_STRIDE_MAX */
    uint64_t base;   /* X86: where in its file the first byte stands     */
    uint64_t deltas; /* TABLE: bit i for column i                        */
};

MUST_USE bool filter_is_valid(const struct filter *filter);
/* Write as many bytes as they read; `out` is other memory. The filter must be valid. */
void filter_apply(const struct filter *filter, struct bytes in, uint8_t *out);
void filter_undo(const struct filter *filter, struct bytes in, uint8_t *out);

/* The same for content that came: *bytes are those in `scratch` then, or stay where there is no
 * filter. */
MUST_USE bool filter_undo_into(const struct filter *filter, struct bytes *bytes,
                               struct buf *scratch, struct error *err);
