/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on a channel, for services that speak in more than a stream of bytes:
 *
 *     size u32, of what follows after the type | type u8 | payload …
 */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/bytes.h"

struct channel;
struct error;

enum { MESSAGE_HEADER_SIZE = 5 };

struct message {
    uint8_t type;
    struct bytes payload; /* borrowed */
};

enum message_result {
    MESSAGE_BROKEN, /* longer than max_payload; *err is set      */
    MESSAGE_SHORT,  /* not all there yet                         */
    MESSAGE_READY,  /* *out and *out_used are set                */
};

/* Reads the first message of `input`; pure. */
MUST_USE enum message_result message_decode(struct bytes input, size_t max_payload,
                                            struct message *out, size_t *out_used,
                                            struct error *err);

/* Writes one message to the channel. */
void message_write(struct channel *channel, uint8_t type, struct bytes payload);

/* Puts pieces together. Message by message, each borrowed for the call of `got`, which returns
 * false (with *err) to stop there. Credit for `bytes` stays the caller's to give. */
struct message_reader {
    struct buf rest;
    size_t max_payload;
};
#define MESSAGE_READER(max_bytes)                                                                  \
    ((struct message_reader){.rest = BUF((max_bytes) + 2 * 1024 * 1024),                           \
                             .max_payload = (max_bytes)})
void message_reader_dispose(struct message_reader *reader);
typedef bool message_got(void *context, const struct message *message, struct error *err);
MUST_USE bool message_reader_add(struct message_reader *reader, struct bytes bytes,
                                 message_got *got, void *context, struct error *err);
