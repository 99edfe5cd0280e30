/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zstream.h"

#include <assert.h>
#include <stdlib.h>

#include <zstd.h>

#include "base/error.h"
#include "base/mem.h"

enum { WINDOW_LOG = 21, WINDOW_LOG_MAX = 23, PIECE = 64 * 1024 };

struct zpack {
    ZSTD_CCtx *context;
};

struct zunpack {
    ZSTD_DCtx *context;
    ZSTD_inBuffer in;
    size_t given; /* of this frame, unpacked */
    uint8_t piece[PIECE];
};

struct zpack *zpack_new(int level)
{
    struct zpack *pack = xmalloc(sizeof *pack);
    pack->context = ZSTD_createCCtx();
    assert(pack->context);
    ZSTD_CCtx_setParameter(pack->context, ZSTD_c_windowLog, WINDOW_LOG);
    zpack_level(pack, level);
    return pack;
}

void zpack_level(struct zpack *pack, int level)
{
    ZSTD_CCtx_setParameter(pack->context, ZSTD_c_compressionLevel, level);
}

void zpack_free(struct zpack *pack)
{
    if (!pack)
        return;
    ZSTD_freeCCtx(pack->context);
    free(pack);
}

size_t zpack_frame(struct zpack *pack, struct bytes raw, uint8_t *out, size_t room)
{
    assert(raw.size <= ZSTREAM_RAW_MAX);
    ZSTD_inBuffer in = {raw.data, raw.size, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t left = ZSTD_compressStream2(pack->context, &to, &in, ZSTD_e_flush);
    assert(left == 0 && in.pos == in.size); /* raw_max leaves room for what cannot be packed */
    return to.pos;
}

struct zunpack *zunpack_new(void)
{
    struct zunpack *unpack = xmalloc(sizeof *unpack);
    unpack->context = ZSTD_createDCtx();
    assert(unpack->context);
    ZSTD_DCtx_setParameter(unpack->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    unpack->in = (ZSTD_inBuffer){0};
    return unpack;
}

void zunpack_free(struct zunpack *unpack)
{
    if (!unpack)
        return;
    ZSTD_freeDCtx(unpack->context);
    free(unpack);
}

void zunpack_frame(struct zunpack *unpack, struct bytes packed)
{
    unpack->in = (ZSTD_inBuffer){packed.data, packed.size, 0};
    unpack->given = 0;
}

bool zunpack_next(struct zunpack *unpack, struct bytes *out, struct error *err)
{
    ZSTD_outBuffer to = {unpack->piece, PIECE, 0};
    size_t left = ZSTD_decompressStream(unpack->context, &to, &unpack->in);
    if (ZSTD_isError(left))
        return error_set(err, ERROR_INVALID, "compressed data: %s", ZSTD_getErrorName(left));
    if (to.pos == 0 && unpack->in.pos < unpack->in.size)
        return error_set(err, ERROR_INVALID, "compressed data makes no progress");
    unpack->given += to.pos;
    if (unpack->given > ZSTREAM_UNPACKED_MAX)
        return error_set(err, ERROR_LIMIT, "compressed frame of more than %d bytes",
                         ZSTREAM_UNPACKED_MAX);
    *out = (struct bytes){unpack->piece, to.pos};
    return true;
}
