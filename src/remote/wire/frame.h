/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: the unit of the protocol between client and agent. docs/protocol.md specifies them.
 *
 *     type u8 | payload size u24 | channel u32 | number u32 | payload …      (big-endian)
 *
 * This file turns bytes into frames and back. It does no I/O, keeps no state and trusts nothing
 * it reads. What numbers, channels and payloads mean belongs to wire/mux.h. */
#pragma once

#include "base/attributes.h"
#include "base/bytes.h"

struct error;

enum {
    FRAME_HEADER_SIZE = 12,
    FRAME_PAYLOAD_MAX = 64 * 1024,
    FRAME_TEXT_MAX = 512, /* of reasons */
};

enum frame_type {
    /* about the stream: number and channel are 0, never sent again */
    FRAME_HELLO = 1,
    FRAME_ACK = 2,
    FRAME_PING = 3,
    FRAME_PONG = 4,
    FRAME_BYE = 5,
    /* about channels: numbered from 0, kept until acknowledged */
    FRAME_OPEN = 16,
    FRAME_DATA = 17,
    FRAME_ZDATA = 18, /* data through the channel's zstd stream */
    FRAME_WINDOW = 19,
    FRAME_END = 20,
    FRAME_RESET = 21,
};

struct frame {
    enum frame_type type;
    uint32_t channel;
    uint32_t number; /* the low 32 bits */
    struct bytes payload;
};

static inline bool frame_numbered(enum frame_type type)
{
    return type >= FRAME_OPEN;
}

enum frame_result {
    FRAME_BROKEN, /* *err is set; nothing after this can be read: close the stream */
    FRAME_SHORT,  /* no whole frame yet                                            */
    FRAME_READY,  /* *out and *out_used are set                                    */
};

/* Reads the first frame in `input`; out->payload points into it. A frame that announces a size
 * its type does not allow is broken as soon as its header is there. */
MUST_USE enum frame_result frame_decode(struct bytes input, struct frame *out, size_t *out_used,
                                        struct error *err);

/* Writes the header of a frame with `size` bytes of payload. */
void frame_header(uint8_t out[FRAME_HEADER_SIZE], enum frame_type type, size_t size,
                  uint32_t channel, uint32_t number);
/* Of an encoded frame: header and payload. */
size_t frame_size(const uint8_t *encoded);

/* --- payloads ------------------------------------------------------------------------------ */

enum { HELLO_SIZE = 32, ACK_SIZE = 12, PROTOCOL_VERSION = 1, PROTOCOL_OLDEST = 1 };

struct hello {
    uint16_t version, oldest; /* the newest and the oldest that the sender speaks */
    uint8_t session[16];
    uint64_t received; /* numbered frames that the sender has taken so far */
};
void hello_encode(const struct hello *hello, uint8_t out[HELLO_SIZE]);
/* Refuses what is no hello and versions that do not meet ours. */
MUST_USE bool hello_decode(struct bytes payload, struct hello *out, struct error *err);

struct ack {
    uint64_t received;
    uint32_t delay_us; /* between taking the last of them and sending this */
};
void ack_encode(const struct ack *ack, uint8_t out[ACK_SIZE]);
struct ack ack_decode(struct bytes payload);

struct open {
    uint8_t priority;
    struct bytes service, request;
};
MUST_USE bool open_decode(struct bytes payload, struct open *out, struct error *err);

/* A reset's or a goodbye's reason: kind u8 (0: none) | os u8 (0: none) | text. */
size_t reason_encode(const struct error *reason, uint8_t out[2 + FRAME_TEXT_MAX]);
void reason_decode(struct bytes payload, struct error *out);
