/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused or decoded into frames whose header encodes back to the same bytes. */
#include <assert.h>

#include "base/error.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = {data, size};
    struct frame frame;
    size_t used;
    struct error err;

    while (frame_decode(rest, &frame, &used, &err) == FRAME_READY) {
        uint8_t header[FRAME_HEADER_SIZE];
        assert(used <= rest.size && used == FRAME_HEADER_SIZE + frame.payload.size);
        frame_header(header, frame.type, frame.payload.size, frame.channel, frame.number);
        assert(memcmp(header, rest.data, sizeof header) == 0);
        struct hello hello;
        struct open open;
        struct error reason;
        if (frame.type == FRAME_HELLO && hello_decode(frame.payload, &hello, &err))
            assert(hello.oldest <= PROTOCOL_VERSION);
        if (frame.type == FRAME_OPEN && open_decode(frame.payload, &open, &err))
            assert(open.service.size + open.request.size + 2 == frame.payload.size);
        if (frame.type == FRAME_RESET || frame.type == FRAME_BYE)
            reason_decode(frame.payload, &reason);
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
    return 0;
}
