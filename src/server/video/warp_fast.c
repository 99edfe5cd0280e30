/* SPDX-License-Identifier: Apache-2.0 */
/* Nearly all of a frame that moves is skin, hair and cloth in which neighbours come from
 * neighbours, but for one place in eight pixels where they may slip by a sample, across or down,
 * because the motion grows. So both possibilities are read and each lane takes its own: no branch
 * to guess wrong. Two eights fill the lanes: the halves of a line, two planes of colour, or two
 * parts of a tile. */
#include "video/warp_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define FAST __attribute__((target("avx2")))

enum { LANES = 8, UNIT_BITS = 14, UNIT = 1 << UNIT_BITS };

/* One coordinate of all lanes. 16 bits hold four samples; that is enough, since the lanes of an
 * eight are less than two apart. */
struct places {
    __m256i now, down;
};

FAST static inline __m256i both(int low, int high)
{
    return _mm256_set_m128i(_mm_set1_epi16((short)high), _mm_set1_epi16((short)low));
}

FAST static inline __m256i spread(int low, int high, int low_growth, int high_growth)
{
    const __m256i lanes = _mm256_set_epi16(7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm256_add_epi16(both(low, high),
                            _mm256_mullo_epi16(lanes, both(low_growth, high_growth)));
}

/* Which lanes are at the smaller of the two samples that they may be at, and how far beyond their
 * sample all are, in 1/64. */
struct slips {
    __m256i before, share;
};

FAST static inline struct slips slips_of(__m256i places, int first_low, int first_high)
{
    __m256i beyond = _mm256_sub_epi16(places, both((int)((unsigned)first_low << UNIT_BITS),
                                                   (int)((unsigned)first_high << UNIT_BITS)));
    return (struct slips){_mm256_cmpgt_epi16(_mm256_set1_epi16(UNIT), beyond),
                          _mm256_and_si256(_mm256_srli_epi16(beyond, UNIT_BITS - FRACTION_BITS),
                                           _mm256_set1_epi16(ONE - 1))};
}

/* The sample of the leftmost or uppermost of eight lanes. */
static inline int first_of(int32_t at, int32_t growth)
{
    int32_t last = at + (LANES - 1) * growth;
    return (last < at ? last : at) >> UNIT_BITS;
}

FAST static inline __m256i load_both(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* Each lane's sample and its right neighbour, from a row of either eight. */
FAST static inline __m256i pairs_at(const uint8_t *low, const uint8_t *high, int scale,
                                    __m256i choice)
{
    if (scale == 1) /* `choice`: which bytes */
        return _mm256_shuffle_epi8(load_both(low, high), choice);
    return _mm256_blendv_epi8(load_both(low + 1, high + 1), load_both(low, high), choice);
}

FAST static inline __m256i choice_of(__m256i before, int scale)
{
    if (scale == 2)
        return before;
    const __m256i after = _mm256_set_epi8(9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 9, 8, 8,
                                          7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1);
    return _mm256_add_epi8(after, before); /* where it is set that is -1 in both bytes */
}

/* The four samples around each place, weighted across and down: 0..255. */
FAST static inline __m256i weighted(__m256i upper, __m256i lower, __m256i across, __m256i down)
{
    /* 64 - share for the sample itself, share for its neighbour */
    __m256i weights = _mm256_add_epi16(_mm256_mullo_epi16(across, _mm256_set1_epi16(255)),
                                       _mm256_set1_epi16(ONE));
    upper = _mm256_maddubs_epi16(upper, weights);
    lower = _mm256_maddubs_epi16(lower, weights);
    __m256i value = _mm256_add_epi16(
        upper, _mm256_mulhrs_epi16(_mm256_sub_epi16(lower, upper), _mm256_slli_epi16(down, 9)));
    return _mm256_srli_epi16(_mm256_add_epi16(value, _mm256_set1_epi16(ONE / 2)), FRACTION_BITS);
}

FAST static inline __m256i line_of(const struct eight *low, const struct eight *high,
                                   const struct places *u, const struct places *v, int scale,
                                   ptrdiff_t stride)
{
    int low_u = first_of(low->u, low->u_across), high_u = first_of(high->u, high->u_across);
    int low_v = first_of(low->v, low->v_across), high_v = first_of(high->v, high->v_across);
    const uint8_t *a = low->origin + low_v * stride + low_u;
    const uint8_t *b = high->origin + high_v * stride + high_u;
    struct slips across = slips_of(u->now, low_u, high_u), down = slips_of(v->now, low_v, high_v);
    __m256i choice = choice_of(across.before, scale);
    __m256i first = pairs_at(a, b, scale, choice);
    __m256i second = pairs_at(a + stride, b + stride, scale, choice);
    __m256i third = pairs_at(a + 2 * stride, b + 2 * stride, scale, choice);
    return weighted(_mm256_blendv_epi8(second, first, down.before),
                    _mm256_blendv_epi8(third, second, down.before), across.share, down.share);
}

static inline void go_down(struct eight *eight, ptrdiff_t stride)
{
    eight->u += eight->u_down;
    eight->v += eight->v_down;
    eight->u_across += eight->u_twist;
    eight->v_across += eight->v_twist;
    eight->out += stride;
}

FAST static inline void draw(const struct eights *eights, int scale)
{
    struct eight low = eights->at[0], high = eights->at[1];
    struct places u = {spread(low.u, high.u, low.u_across, high.u_across),
                       spread(low.u_down, high.u_down, low.u_twist, high.u_twist)};
    struct places v = {spread(low.v, high.v, low.v_across, high.v_across),
                       spread(low.v_down, high.v_down, low.v_twist, high.v_twist)};
    for (int y = 0; y < eights->lines; y++) {
        __m256i line = line_of(&low, &high, &u, &v, scale, eights->from_stride);
        line = _mm256_packus_epi16(line, line);
        _mm_storel_epi64((__m128i *)low.out, _mm256_castsi256_si128(line));
        _mm_storel_epi64((__m128i *)high.out, _mm256_extracti128_si256(line, 1));
        u.now = _mm256_add_epi16(u.now, u.down);
        v.now = _mm256_add_epi16(v.now, v.down);
        go_down(&low, eights->to_stride);
        go_down(&high, eights->to_stride);
    }
}

FAST static void draw_all(const struct eights *eights)
{
    if (eights->scale == 2)
        draw(eights, 2);
    else
        draw(eights, 1);
}

static bool is_near(int32_t growth, int32_t twist, int lines)
{
    enum { NEARLY = (UNIT - 1) / LANES };
    int32_t last = growth + lines * twist;
    return growth > -NEARLY && growth < NEARLY && last > -NEARLY && last < NEARLY;
}

bool warp_eights(const struct eights *eights)
{
    for (int i = 0; i < 2; i++) {
        const struct eight *eight = &eights->at[i];
        if (!is_near(eight->u_across, eight->u_twist, eights->lines) ||
            !is_near(eight->v_across, eight->v_twist, eights->lines))
            return false;
    }
    if (!__builtin_cpu_supports("avx2"))
        return false;
    draw_all(eights);
    return true;
}

#else

bool warp_eights(const struct eights *eights)
{
    (void)eights;
    return false;
}

#endif
