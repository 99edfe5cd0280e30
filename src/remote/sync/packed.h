/* SPDX-License-Identifier: Apache-2.0 */
/* zstd in one piece and as a stream, behind plain bytes. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct buf;
struct error;

/* Appends one frame; false when that is not shorter than the input (nothing is appended) or does
 * not fit. */
MUST_USE bool packed_once(struct bytes input, int level, struct buf *out);
/* Appends exactly `size` bytes or fails. */
MUST_USE bool unpacked_once(struct bytes input, size_t size, struct buf *out, struct error *err);

/* A stream of bytes to be compressed as it comes, with a long memory. */
enum { PACKED_WINDOW_LOG = 23 /* the most */, PACKED_LEVEL_MAX = 10 };
struct packer;
struct packer_options {
    int level;      /* as zstd's; PACKED_LEVEL_MAX is its 9 with twice the search */
    int window_log; /* how far back it looks: 2^window_log bytes, which the reader needs, too */
    bool far_back;  /* finds long repetitions all over that, not only near */
};
MUST_USE struct packer *packer_new(const struct packer_options *options);
void packer_free(struct packer *packer);
static inline void packer_free_auto(struct packer **packer)
{
    packer_free(*packer);
}
/* Appends what is ready to `out`; PACK_FLUSH: everything that was put in; PACK_END: and closes the
 * stream, so that the reader can give its memory back. */
enum pack_until { PACK_MORE, PACK_FLUSH, PACK_END };
MUST_USE bool packer_add(struct packer *packer, struct bytes input, enum pack_until until,
                         struct buf *out, struct error *err);

struct unpacker;
MUST_USE struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker *unpacker);
static inline void unpacker_free_auto(struct unpacker **unpacker)
{
    unpacker_free(*unpacker);
}
/* Decompresses from *input, dropping what it took, to the end of `out` up to its limit. Call
 * again, after consuming, while *input is not empty or *out_more is set. */
MUST_USE bool unpacker_add(struct unpacker *unpacker, struct bytes *input, struct buf *out,
                           bool *out_more, struct error *err);
/* The last stream was closed and no other has begun. */
bool unpacker_idle(const struct unpacker *unpacker);
