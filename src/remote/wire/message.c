/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/message.h"

#include "base/error.h"
#include "wire/mux.h"

enum message_result message_decode(struct bytes input, size_t max_payload, struct message *out,
                                   size_t *out_used, struct error *err)
{
    if (input.size < MESSAGE_HEADER_SIZE)
        return MESSAGE_SHORT;
    size_t size = read_u32(input.data);
    if (size > max_payload)
        return error_set(err, ERROR_LIMIT, "message %u of %zu bytes, at most %zu", input.data[4],
                         size, max_payload);
    if (input.size - MESSAGE_HEADER_SIZE < size)
        return MESSAGE_SHORT;
    *out = (struct message){input.data[4], {input.data + MESSAGE_HEADER_SIZE, size}};
    *out_used = MESSAGE_HEADER_SIZE + size;
    return MESSAGE_READY;
}

void message_write(struct channel *channel, uint8_t type, struct bytes payload)
{
    enum { INLINE = 1024 };
    uint8_t header[MESSAGE_HEADER_SIZE + INLINE];
    write_u32(header, (uint32_t)payload.size);
    header[4] = type;
    if (payload.size <= INLINE) { /* one frame */
        if (payload.size)
            memcpy(header + MESSAGE_HEADER_SIZE, payload.data, payload.size);
        channel_write(channel, (struct bytes){header, MESSAGE_HEADER_SIZE + payload.size});
        return;
    }
    channel_write(channel, (struct bytes){header, MESSAGE_HEADER_SIZE});
    channel_write(channel, payload);
}

void message_reader_dispose(struct message_reader *reader)
{
    buf_dispose(&reader->rest);
}

/* Hands over the whole messages in `input`; how many bytes they were. */
static bool take(struct message_reader *reader, struct bytes input, message_got *got, void *context,
                 size_t *out_used, struct error *err)
{
    *out_used = 0;
    for (;;) {
        struct bytes rest = {input.data + *out_used, input.size - *out_used};
        struct message message;
        size_t used;
        switch (message_decode(rest, reader->max_payload, &message, &used, err)) {
        case MESSAGE_BROKEN:
            return false;
        case MESSAGE_SHORT:
            return true;
        default:
            *out_used += used;
            if (!got(context, &message, err))
                return false;
        }
    }
}

bool message_reader_add(struct message_reader *reader, struct bytes bytes, message_got *got,
                        void *context, struct error *err)
{
    size_t used;
    if (reader->rest.size == 0) { /* whole messages are not copied */
        return take(reader, bytes, got, context, &used, err) &&
               buf_append(&reader->rest, (struct bytes){bytes.data + used, bytes.size - used}, err);
    }
    if (!buf_append(&reader->rest, bytes, err) ||
        !take(reader, buf_bytes(&reader->rest), got, context, &used, err))
        return false;
    buf_consume(&reader->rest, used);
    return true;
}
