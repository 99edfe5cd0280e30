/* SPDX-License-Identifier: Apache-2.0 */
#include "api/wav.h"

#include <math.h>

#include "base/buf.h"
#include "base/error.h"

enum { HEADER_SIZE = 44, SAMPLE_SIZE = 2 };

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value & 0xffff);
    put_u16(at + 2, value >> 16);
}

static void put_tag(uint8_t *at, const char *tag)
{
    while (*tag)
        *at++ = (uint8_t)*tag++;
}

bool wav_header(struct buf *out, int rate_hz, size_t samples, struct error *err)
{
    uint32_t size = (uint32_t)(samples * SAMPLE_SIZE);
    uint8_t *at = buf_reserve(out, HEADER_SIZE, err);
    if (!at)
        return false;
    put_tag(at, "RIFF");
    put_tag(at + 8, "WAVE");
    put_tag(at + 12, "fmt ");
    put_u32(at + 4, size + HEADER_SIZE - 8);
    put_u32(at + 16, 16);
    put_u16(at + 20, 1); /* plain samples */
    put_u16(at + 22, 1); /* channels */
    put_u32(at + 24, (uint32_t)rate_hz);
    put_u32(at + 28, (uint32_t)rate_hz * SAMPLE_SIZE);
    put_u16(at + 32, SAMPLE_SIZE);
    put_u16(at + 34, 8 * SAMPLE_SIZE);
    put_tag(at + 36, "data");
    put_u32(at + 40, size);
    buf_commit(out, HEADER_SIZE);
    return true;
}

bool wav_samples(struct buf *out, const float *samples, size_t count, struct error *err)
{
    uint8_t *at = buf_reserve(out, count * SAMPLE_SIZE, err);
    if (!at)
        return false;
    for (size_t i = 0; i < count; i++) {
        float clipped = fminf(fmaxf(samples[i], -1), 1);
        put_u16(at + i * SAMPLE_SIZE, (unsigned)(int)lrintf(clipped * 32767) & 0xffff);
    }
    buf_commit(out, count * SAMPLE_SIZE);
    return true;
}
