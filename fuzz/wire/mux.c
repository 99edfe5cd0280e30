/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile peer: whatever comes in after its hello, numbered right or not, the session refuses it
 * or delivers it, within the credit it gave, and can be ended. The first byte of each record says
 * how it is sent: as it is, or repaired into a frame with the number that comes next. */
#include <assert.h>

#include "base/error.h"
#include "wire/frame.h"
#include "wire/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct taker {
    size_t held;
};

static void got_data(void *context, struct channel *channel, struct bytes bytes)
{
    struct taker *taker = context;
    taker->held += bytes.size;
    if (bytes.size % 3 == 0) {
        channel_consumed(channel, bytes.size);
    } else if (bytes.size % 7 == 0) {
        channel_reset(channel, NULL);
    } else if (bytes.size % 5 == 0) {
        channel_write(channel, bytes);
    }
}

static void got_end(void *context, struct channel *channel)
{
    (void)context;
    channel_end(channel);
}

static const struct channel_events events = {.data = got_data, .end = got_end};

static bool accept_any(void *context, struct channel *channel, struct bytes request,
                       struct error *err)
{
    if (request.size == 3)
        return error_set(err, ERROR_DENIED, "three is too many");
    channel_bind(channel, &events, context);
    return true;
}

static void nothing(void *context)
{
    (void)context;
}

static void give(struct mux *mux, struct bytes bytes, bool *fine)
{
    struct error err;
    struct bytes runs[4];
    *fine = *fine && mux_receive(mux, bytes, 1000, &err);
    size_t count = mux_output(mux, runs, 4, 1000);
    size_t sent = 0;
    for (size_t i = 0; i < count; i++)
        sent += runs[i].size;
    mux_sent(mux, sent, 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mux_events mux_events = {.output = nothing, .ended = nothing};
    struct taker taker = {0};
    struct hello hello = {PROTOCOL_VERSION, PROTOCOL_OLDEST, {1}, 0};
    uint8_t frame[FRAME_HEADER_SIZE + 256];
    bool fine = true;
    uint32_t number = 0;

    struct mux *mux = mux_new(MUX_AGENT, (struct mux_id){{1}}, &mux_events, NULL);
    mux_serve(mux, "any", accept_any, &taker);
    mux_attach(mux, 1000);
    struct channel *own =
        channel_open(mux, "own", CHANNEL_BULK, (struct bytes){0}, &events, &taker);
    channel_write(own, bytes_of("hello"));
    frame_header(frame, FRAME_HELLO, HELLO_SIZE, 0, 0);
    hello_encode(&hello, frame + FRAME_HEADER_SIZE);
    give(mux, (struct bytes){frame, FRAME_HEADER_SIZE + HELLO_SIZE}, &fine);
    assert(fine);

    while (size >= 4 && fine) {
        size_t length = data[1];
        if (length > size - 4)
            length = size - 4;
        struct bytes payload = {data + 4, length};
        if (data[0] & 0x80) {
            give(mux, payload, &fine);
        } else {
            enum frame_type type = data[0] & 0x1f;
            bool numbered = frame_numbered(type);
            frame_header(frame, type, length, numbered ? data[2] : 0, numbered ? number++ : 0);
            if (length)
                memcpy(frame + FRAME_HEADER_SIZE, payload.data, length);
            give(mux, (struct bytes){frame, FRAME_HEADER_SIZE + length}, &fine);
        }
        data += 4 + length;
        size -= 4 + length;
    }
    mux_free(mux);
    return 0;
}
