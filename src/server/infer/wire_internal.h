/* SPDX-License-Identifier: Apache-2.0 */
/* What vmad and its process for inference (vmad-infer) say to each other.
 *
 *     HELLO_FD   child → parent   struct wire_hello, once: what was loaded
 *                parent → child   struct wire_lane with two descriptors: a lane is opened
 *     STOP_FD    parent → child   struct wire_stop: this run of that lane is to end early
 *     a lane     parent → child   struct wire_ask, and what belongs to it in the lane's memory
 *                child → parent   struct wire_reply, and the outputs in the same memory
 *
 * All of them are SOCK_SEQPACKET pairs: a message is there as a whole or not at all. A lane carries
 * one question at a time; there are as many lanes as there are questions at once. Its memory is
 * sealed against changes of size and takes up only what was written to it. Neither side believes
 * the other's numbers: kinds, ranks, sizes and places are checked before they are used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/hash.h"
#include "infer/runtime.h"

struct error;

enum {
    HELLO_FD = 3,
    STOP_FD = 4,
    WIRE_VERSION = 2,
    WIRE_PORTS = 16,
    WIRE_NAME = 128,
    WIRE_PATH = 4096,
    WIRE_ALIGN = 64,
    WIRE_SESSIONS = 64, /* open at once */
};
/* A network's input of 4096² in float32 and its mask, and room to spare. */
#define WIRE_LANE_BYTES ((size_t)512 << 20)

struct wire_error {
    int32_t kind;
    char text[240];
};

struct wire_hello {
    uint32_t version;
    bool fine;
    struct wire_error error; /* when it is not */
    char library[512], runtime[32];
};

struct wire_lane {
    uint32_t lane;
};

struct wire_stop {
    uint32_t lane;
    uint64_t serial;
};

enum wire_what { WIRE_OPEN = 1, WIRE_CLOSE, WIRE_RUN };

struct wire_tensor {
    uint32_t type;
    int32_t rank;
    int64_t dims[TENSOR_RANK];
    uint64_t place; /* of its data in the lane's memory */
};

struct wire_open {
    char device[16];
    int32_t threads;
    bool device_required;
    uint64_t arena_limit_bytes;
    char path[WIRE_PATH];
};

/* See session_first; count 0: there is none. */
struct wire_first {
    uint32_t session, count;
    struct wire_tensor input;
    struct hash128 key;
    uint32_t from[SESSION_FIRST], to[SESSION_FIRST];
};

struct wire_run {
    uint64_t serial;
    struct wire_first first;
    uint32_t input_count, out_count;
    struct wire_tensor inputs[WIRE_PORTS];
    uint32_t wanted[WIRE_PORTS];
    uint64_t free_place; /* outputs go from here on */
    bool shrink;
};

struct wire_ask {
    uint32_t what, session;
    union {
        struct wire_open open;
        struct wire_run run;
    } of;
};

struct wire_port {
    char name[WIRE_NAME];
    uint32_t type;
    int32_t rank;
    int64_t dims[TENSOR_RANK];
};

struct wire_opened {
    char device[16], fallback[240];
    uint32_t input_count, output_count;
    struct wire_port inputs[WIRE_PORTS], outputs[WIRE_PORTS];
};

struct wire_ran {
    bool kept; /* what the first network made */
    struct wire_tensor out[WIRE_PORTS];
};

struct wire_reply {
    bool fine;
    struct wire_error error; /* when it is not */
    union {
        struct wire_opened opened;
        struct wire_ran ran;
    } of;
};

/* Blocking. False when the other end is gone, or sent what is not `size` bytes long. */
MUST_USE bool wire_send(int socket, const void *message, size_t size);
MUST_USE bool wire_receive(int socket, void *message, size_t size);

void wire_error_put(const struct error *err, struct wire_error *out);
/* False, for `return`. */
bool wire_error_get(const struct wire_error *wire, struct error *err);

/* Does a tensor lie within memory of `size` bytes, and is it of a kind and shape that exists?
 * *out_bytes is how much it takes. */
MUST_USE bool wire_tensor_check(const struct wire_tensor *tensor, size_t size, size_t *out_bytes);
/* The next place at or after `place` where a tensor may begin. */
uint64_t wire_align(uint64_t place);
