/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/packed.h"

#include <stdlib.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

bool packed_once(struct bytes input, int level, struct buf *out)
{
    size_t bound = ZSTD_compressBound(input.size);
    uint8_t *room = buf_reserve(out, bound, NULL);
    if (!room)
        return false;
    size_t size = ZSTD_compress(room, bound, input.data, input.size, level);
    if (ZSTD_isError(size) || size + size / 32 + 8 >= input.size)
        return false;
    buf_commit(out, size);
    return true;
}

bool unpacked_once(struct bytes input, size_t size, struct buf *out, struct error *err)
{
    uint8_t *room = buf_reserve(out, size, err);
    if (!room)
        return error_wrap(err, "decompress");
    size_t got = ZSTD_decompress(room, size, input.data, input.size);
    if (ZSTD_isError(got) || got != size)
        return error_set(err, ERROR_INVALID, "decompress: the data is damaged");
    buf_commit(out, size);
    return true;
}

enum { SPLIT_LEVEL = 4 };

struct packer {
    ZSTD_CCtx *context;
};

struct packer *packer_new(const struct packer_options *options)
{
    struct packer *packer = xcalloc(1, sizeof *packer);
    packer->context = ZSTD_createCCtx();
    if (!packer->context)
        abort();
    bool most = options->level >= PACKED_LEVEL_MAX;
    int level = most ? PACKED_LEVEL_MAX - 1 : options->level;
    ZSTD_CCtx_setParameter(packer->context, ZSTD_c_compressionLevel, level);
    if (most) /* its own 10 takes 13 MB more for next to nothing */
        ZSTD_CCtx_setParameter(packer->context, ZSTD_c_searchLog,
                               (int)ZSTD_getCParams(level, 0, 0).searchLog + 1);
    if (level >= SPLIT_LEVEL) /* the columns of a table want codes of their own */
        ZSTD_CCtx_setParameter(packer->context, ZSTD_c_useBlockSplitter, ZSTD_ps_enable);
    ZSTD_CCtx_setParameter(packer->context, ZSTD_c_windowLog, options->window_log);
    ZSTD_CCtx_setParameter(packer->context, ZSTD_c_enableLongDistanceMatching, options->far_back);
    return packer;
}

void packer_free(struct packer *packer)
{
    if (packer)
        ZSTD_freeCCtx(packer->context);
    free(packer);
}

bool packer_add(struct packer *packer, struct bytes input, enum pack_until until, struct buf *out,
                struct error *err)
{
    static const ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in = {input.data, input.size, 0};
    for (;;) {
        size_t step = ZSTD_CStreamOutSize();
        uint8_t *room = buf_reserve(out, step, err);
        if (!room)
            return error_wrap(err, "compress");
        ZSTD_outBuffer to = {room, step, 0};
        size_t left = ZSTD_compressStream2(packer->context, &to, &in, directives[until]);
        if (ZSTD_isError(left))
            return error_set(err, ERROR_INTERNAL, "compress: %s", ZSTD_getErrorName(left));
        buf_commit(out, to.pos);
        if (in.pos == in.size && (until == PACK_MORE ? to.pos < step : left == 0))
            return true;
    }
}

struct unpacker {
    ZSTD_DCtx *context;
    bool idle;
};

struct unpacker *unpacker_new(void)
{
    struct unpacker *unpacker = xcalloc(1, sizeof *unpacker);
    unpacker->context = ZSTD_createDCtx();
    if (!unpacker->context)
        abort();
    ZSTD_DCtx_setParameter(unpacker->context, ZSTD_d_windowLogMax, PACKED_WINDOW_LOG);
    return unpacker;
}

void unpacker_free(struct unpacker *unpacker)
{
    if (unpacker)
        ZSTD_freeDCtx(unpacker->context);
    free(unpacker);
}

bool unpacker_add(struct unpacker *unpacker, struct bytes *input, struct buf *out, bool *out_more,
                  struct error *err)
{
    size_t step = out->limit - out->size;
    if (step > 256 * 1024)
        step = 256 * 1024;
    uint8_t *room = buf_reserve(out, step, err);
    if (!room)
        return error_wrap(err, "decompress");
    ZSTD_inBuffer in = {input->data, input->size, 0};
    ZSTD_outBuffer to = {room, step, 0};
    size_t hint = ZSTD_decompressStream(unpacker->context, &to, &in);
    if (ZSTD_isError(hint))
        return error_set(err, ERROR_INVALID, "decompress: %s", ZSTD_getErrorName(hint));
    buf_commit(out, to.pos);
    unpacker->idle = hint == 0;
    *input = (struct bytes){input->data + in.pos, input->size - in.pos};
    *out_more = to.pos == step;
    return true;
}

bool unpacker_idle(const struct unpacker *unpacker)
{
    return unpacker->idle;
}
