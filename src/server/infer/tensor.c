/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/tensor.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/memory.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [TENSOR_OTHER] = {"another type", 0}, [TENSOR_F32] = {"float32", 4},
    [TENSOR_F16] = {"float16", 2},        [TENSOR_I32] = {"int32", 4},
    [TENSOR_I64] = {"int64", 8},          [TENSOR_U8] = {"uint8", 1},
    [TENSOR_BOOL] = {"bool", 1},
};

const char *tensor_type_name(enum tensor_type type)
{
    return types[type].name;
}

size_t tensor_type_size(enum tensor_type type)
{
    return types[type].size;
}

size_t tensor_count(int rank, const int64_t dims[TENSOR_RANK])
{
    const int64_t limit = (int64_t)1 << 40;
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || (dims[i] > 0 && count > limit / dims[i]))
            return 0;
        count *= dims[i];
    }
    return (size_t)count;
}

void *tensor_room(size_t bytes)
{
    const size_t page = 2 << 20, large = 8 << 20;
    if (bytes < large || bytes > SIZE_MAX - page)
        return malloc(bytes ? bytes : 1);
    size_t whole = (bytes + page - 1) / page * page;
    void *room = aligned_alloc(page, whole);
    if (room)
        memory_in_large_pages(room, whole);
    return room;
}

void tensor_dispose(struct tensor *tensor)
{
    free(tensor->data);
    *tensor = (struct tensor){0};
}

float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    float value;
    if (exponent == 0) {
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    uint32_t bits = sign | fraction << 13;
    bits |= exponent == 31 ? (uint32_t)255 << 23 : (exponent + 112) << 23;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t float_to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x47800000)
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) { /* below 2^-14: the spacing is 2^-24 throughout */
        float scaled;
        memcpy(&scaled, &magnitude, sizeof scaled);
        scaled *= 0x1p24f;
        uint32_t whole = (uint32_t)scaled;
        float rest = scaled - (float)whole;
        whole += rest > 0.5f || (rest == 0.5f && (whole & 1));
        return (uint16_t)(sign | whole);
    }
    uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | (rounded - ((uint32_t)112 << 23)) >> 13);
}

void halves_to_floats(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = half_to_float(from[i]);
}

void floats_to_halves(const float *from, uint16_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = float_to_half(from[i]);
}
