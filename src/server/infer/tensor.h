/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors as they go into and come out of a model. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_RANK = 8 };

enum tensor_type {
    TENSOR_OTHER, /* exists in the model, but nothing here can feed or read it */
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_I32,
    TENSOR_I64,
    TENSOR_U8,
    TENSOR_BOOL,
};

/* "float32", …: for messages. */
const char *tensor_type_name(enum tensor_type type);
/* Bytes of one element; 0 for TENSOR_OTHER. */
size_t tensor_type_size(enum tensor_type type);

/* What a model says of one of its inputs or outputs. */
struct tensor_info {
    char *name;
    enum tensor_type type;
    int rank;                  /* 0 is a scalar */
    int64_t dims[TENSOR_RANK]; /* -1 where the model takes any size */
};

struct tensor {
    enum tensor_type type;
    int rank;
    int64_t dims[TENSOR_RANK];
    void *data; /* dense, row-major */
};

/* Elements; 0 when a dimension is negative or the product passes 2^40. */
size_t tensor_count(int rank, const int64_t dims[TENSOR_RANK]);

/* Room for a tensor's data, for free; NULL when there is not the memory. Large ones are asked for
 * in large pages where the system has them: a picture of 1024² is twelve megabytes, which are three
 * thousand page faults otherwise, for every picture anew. */
void *tensor_room(size_t bytes);

/* Releases the data of a tensor that a session allocated. */
void tensor_dispose(struct tensor *tensor);
static inline void tensor_dispose_auto(struct tensor *tensor)
{
    tensor_dispose(tensor);
}

/* IEEE 754 half precision, for models that speak it. */
float half_to_float(uint16_t half);
uint16_t float_to_half(float value);
void halves_to_floats(const uint16_t *from, float *to, size_t count);
void floats_to_halves(const float *from, uint16_t *to, size_t count);
