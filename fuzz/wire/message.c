/* SPDX-License-Identifier: Apache-2.0 */
/* However the bytes are cut into pieces, the same messages come out. */
#include <assert.h>

#include "base/error.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint32_t count, sum;
};

static bool got(void *context, const struct message *message, struct error *err)
{
    struct seen *seen = context;
    (void)err;
    seen->count++;
    for (size_t i = 0; i < message->payload.size; i++)
        seen->sum = seen->sum * 31 + message->payload.data[i];
    return true;
}

static bool feed(struct bytes bytes, size_t step, struct seen *seen)
{
    struct message_reader reader = MESSAGE_READER(1000);
    struct error err;
    bool fine = true;
    for (size_t at = 0; at < bytes.size && fine; at += step) {
        size_t size = bytes.size - at < step ? bytes.size - at : step;
        fine = message_reader_add(&reader, (struct bytes){bytes.data + at, size}, got, seen, &err);
    }
    message_reader_dispose(&reader);
    return fine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0}, pieces = {0};
    bool a = feed((struct bytes){data, size}, size + 1, &whole);
    bool b = feed((struct bytes){data, size}, 3, &pieces);
    assert(a == b && whole.count == pieces.count && whole.sum == pieces.sum);
    return 0;
}
