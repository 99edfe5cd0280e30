/* SPDX-License-Identifier: Apache-2.0 */
/* Nearly all of a frame that moves is a head that sways: whole tiles in which neighbours come from
 * neighbours, but for one place in a row where they may slip by a sample, across or down, because
 * the motion grows. So both possibilities are computed and each lane takes its own: no branch to
 * guess wrong. A row of luma fills the lanes, of chroma two rows do. */
#include "video/warp_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define FAST __attribute__((target("avx2")))

enum { LANES = 16, CHROMA_LANES = 8, NEARLY = 4000 };

/* Where a row comes from, in 1/65536 samples, and how that grows from lane to lane beyond one
 * sample a sample. */
struct line {
    int32_t u, v, du, dv;
};

/* The places of all lanes within a sample, in 1/64, and which lanes are at the smaller of the two
 * samples that they may be at. */
struct slips {
    __m256i before, share;
};

/* `at` is the fraction of a sample at lane 0, `step` the growth, both in quarters of a unit so that
 * everything fits 16 bits; `first` is the smaller sample. */
FAST static inline struct slips slips_of(__m256i grown, __m256i at, __m256i first)
{
    __m256i place = _mm256_srai_epi16(_mm256_add_epi16(grown, at), 14 - FRACTION_BITS);
    return (struct slips){_mm256_cmpeq_epi16(_mm256_srai_epi16(place, FRACTION_BITS), first),
                          _mm256_and_si256(place, _mm256_set1_epi16(ONE - 1))};
}

static inline int quarter(int32_t at)
{
    return (at & 0xffff) >> 2;
}

/* Whole samples on the smaller side of a slip: 0 or -1. */
static inline int first_of(int32_t at, int32_t step, int lanes)
{
    return (quarter(at) + (lanes - 1) * (step >> 2)) >> 31;
}

FAST static inline __m256i weights_of(__m256i share)
{
    return _mm256_or_si256(_mm256_sub_epi16(_mm256_set1_epi16(ONE), share),
                           _mm256_slli_epi16(share, 8));
}

/* Between the three rows that the lanes may need, each weighted across already, 0..255 × 64. */
FAST static inline __m256i between(__m256i first, __m256i second, __m256i third,
                                   const struct slips *down)
{
    __m256i upper = _mm256_blendv_epi8(second, first, down->before);
    __m256i lower = _mm256_blendv_epi8(third, second, down->before);
    __m256i share = _mm256_slli_epi16(down->share, 9);
    __m256i value =
        _mm256_add_epi16(upper, _mm256_mulhrs_epi16(_mm256_sub_epi16(lower, upper), share));
    return _mm256_srli_epi16(_mm256_add_epi16(value, _mm256_set1_epi16(ONE / 2)), FRACTION_BITS);
}

/* Samples and their right neighbours, of sixteen pixels. */
FAST static inline __m256i pairs_at(const uint8_t *row, int scale)
{
    if (scale == 2)
        return _mm256_loadu_si256((const __m256i *)row);
    __m256i here = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)row));
    __m256i next = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(row + 1)));
    return _mm256_or_si256(here, _mm256_slli_epi16(next, 8));
}

FAST static inline __m256i row_at(const uint8_t *row, int scale, __m256i before, __m256i weights)
{
    return _mm256_blendv_epi8(_mm256_maddubs_epi16(pairs_at(row + 1, scale), weights),
                              _mm256_maddubs_epi16(pairs_at(row, scale), weights), before);
}

FAST static inline void luma_line(const struct plane *from, const struct line *line, int scale,
                                  __m256i lanes, uint8_t *out)
{
    int first_u = first_of(line->u, line->du, LANES), first_v = first_of(line->v, line->dv, LANES);
    struct slips across =
        slips_of(_mm256_mullo_epi16(lanes, _mm256_set1_epi16((short)(line->du >> 2))),
                 _mm256_set1_epi16((short)quarter(line->u)), _mm256_set1_epi16((short)first_u));
    struct slips down =
        slips_of(_mm256_mullo_epi16(lanes, _mm256_set1_epi16((short)(line->dv >> 2))),
                 _mm256_set1_epi16((short)quarter(line->v)), _mm256_set1_epi16((short)first_v));
    const uint8_t *row = from->origin + (ptrdiff_t)((line->v >> 16) + first_v) * from->stride +
                         (line->u >> 16) + first_u;
    __m256i weights = weights_of(across.share);
    __m256i value =
        between(row_at(row, scale, across.before, weights),
                row_at(row + from->stride, scale, across.before, weights),
                row_at(row + 2 * (ptrdiff_t)from->stride, scale, across.before, weights), &down);
    _mm_storeu_si128((__m128i *)out, _mm_packus_epi16(_mm256_castsi256_si128(value),
                                                      _mm256_extracti128_si256(value, 1)));
}

FAST static inline __m256i both(int low, int high)
{
    return _mm256_set_m128i(_mm_set1_epi16((short)high), _mm_set1_epi16((short)low));
}

/* The same row of two lines, weighted across; eight pixels of each. */
FAST static inline __m256i rows_at(const uint8_t *low, const uint8_t *high, __m256i before,
                                   __m256i weights)
{
    __m256i here = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)high),
                                    _mm_loadu_si128((const __m128i *)low));
    __m256i next = _mm256_bsrli_epi128(here, 1), after = _mm256_bsrli_epi128(here, 2);
    return _mm256_blendv_epi8(_mm256_maddubs_epi16(_mm256_unpacklo_epi8(next, after), weights),
                              _mm256_maddubs_epi16(_mm256_unpacklo_epi8(here, next), weights),
                              before);
}

FAST static inline void chroma_lines(const struct plane *from, const struct line lines[2],
                                     __m256i lanes, uint8_t *out)
{
    int first_u[2], first_v[2];
    const uint8_t *row[2];
    for (int i = 0; i < 2; i++) {
        first_u[i] = first_of(lines[i].u, lines[i].du, CHROMA_LANES);
        first_v[i] = first_of(lines[i].v, lines[i].dv, CHROMA_LANES);
        row[i] = from->origin + (ptrdiff_t)((lines[i].v >> 16) + first_v[i]) * from->stride +
                 (lines[i].u >> 16) + first_u[i];
    }
    struct slips across =
        slips_of(_mm256_mullo_epi16(lanes, both(lines[0].du >> 2, lines[1].du >> 2)),
                 both(quarter(lines[0].u), quarter(lines[1].u)), both(first_u[0], first_u[1]));
    struct slips down =
        slips_of(_mm256_mullo_epi16(lanes, both(lines[0].dv >> 2, lines[1].dv >> 2)),
                 both(quarter(lines[0].v), quarter(lines[1].v)), both(first_v[0], first_v[1]));
    __m256i weights = weights_of(across.share), rows[3];
    for (int i = 0; i < 3; i++)
        rows[i] = rows_at(row[0] + i * (ptrdiff_t)from->stride,
                          row[1] + i * (ptrdiff_t)from->stride, across.before, weights);
    __m256i value = between(rows[0], rows[1], rows[2], &down);
    value = _mm256_packus_epi16(value, value);
    _mm_storel_epi64((__m128i *)out, _mm256_castsi256_si128(value));
    _mm_storel_epi64((__m128i *)(out + TILE), _mm256_extracti128_si256(value, 1));
}

static inline struct line line_of(const struct cell *cell, int32_t u, int32_t v, int32_t step,
                                  int at, int halved)
{
    int shift = 4 - halved, quarters = 4 * at + halved;
    return (struct line){u + part_of(cell->u_down, quarters, shift + 2),
                         v + at * step + part_of(cell->v_down, quarters, shift + 2),
                         (cell->u_across + part_of(cell->u_twist, quarters, shift + 2)) >> shift,
                         (cell->v_across + part_of(cell->v_twist, quarters, shift + 2)) >> shift};
}

FAST static void luma_tile(const struct plane *from, const struct cell *cell, int32_t u, int32_t v,
                           int scale, uint8_t *out)
{
    const __m256i lanes = _mm256_set_epi16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int y = 0; y < TILE; y++) {
        struct line line = line_of(cell, u, v, scale * 65536, y, 0);
        luma_line(from, &line, scale, lanes, out + y * TILE);
    }
}

FAST static void chroma_tile(const struct plane *from, const struct cell *cell, int32_t u,
                             int32_t v, uint8_t *out)
{
    const __m256i lanes = _mm256_set_epi16(7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int y = 0; y < TILE / 2; y += 2) {
        struct line lines[2] = {line_of(cell, u, v, 65536, y, 1),
                                line_of(cell, u, v, 65536, y + 1, 1)};
        chroma_lines(from, lines, lanes, out + y * TILE);
    }
}

static bool is_near(int32_t across, int32_t twist, int shift)
{
    int32_t top = across >> shift, bottom = (across + twist) >> shift;
    return top > -NEARLY && top < NEARLY && bottom > -NEARLY && bottom < NEARLY;
}

bool warp_whole(const struct plane *from, enum plane_kind kind, const struct cell *cell, int32_t u,
                int32_t v, uint8_t out[TILE * TILE])
{
    int shift = kind == PLANE_CHROMA ? 3 : 4;
    if (!is_near(cell->u_across, cell->u_twist, shift) ||
        !is_near(cell->v_across, cell->v_twist, shift) || !__builtin_cpu_supports("avx2"))
        return false;
    if (kind == PLANE_CHROMA)
        chroma_tile(from, cell, u + cell->u, v + cell->v, out);
    else if (from->scale == 2)
        luma_tile(from, cell, u + cell->u, v + cell->v, 2, out);
    else
        luma_tile(from, cell, u + cell->u, v + cell->v, 1, out);
    return true;
}

#else

bool warp_whole(const struct plane *from, enum plane_kind kind, const struct cell *cell, int32_t u,
                int32_t v, uint8_t out[TILE * TILE])
{
    (void)from, (void)kind, (void)cell, (void)u, (void)v, (void)out;
    return false;
}

#endif
