/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes must be refused or decoded; what decodes encodes to what decodes to the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "sync/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ops(struct bytes input)
{
    struct sync_batch batch;
    struct error err;
    struct path_memory memory = {0}, again_memory = {0};
    if (!sync_batch_decode(&input, &batch, &err))
        return;
    for (uint64_t i = 0; i < batch.count; i++) {
        struct sync_op op, again;
        struct path_memory fresh = {0}, reread = {0};
        if (!sync_op_decode(&input, &memory, &op, &err))
            return;
        assert(op.path.size && op.path.data[0] != '/');
        AUTO(buf_dispose) struct buf out = BUF(1 << 26);
        assert(sync_op_encode(&op, &fresh, &out, &err));
        struct bytes encoded = buf_bytes(&out);
        assert(sync_op_decode(&encoded, &reread, &again, &err));
        assert(encoded.size == 0 && entry_equal(&op.entry, &again.entry));
        assert(bytes_equal(op.path, again.path) && bytes_equal(op.content, again.content));
    }
    (void)again_memory;
}

static void lists(struct bytes input)
{
    struct sync_list list;
    struct sync_listed listed;
    struct path_memory memory = {0};
    struct error err;
    if (sync_list_decode(&input, &list, &err))
        while (input.size && sync_listed_decode(&input, &memory, &listed, &err))
            assert(listed.path.size <= PATH_MAX_SIZE);
}

static void pieces(struct bytes input)
{
    struct sync_piece piece;
    struct sync_run run;
    struct error err;
    if (sync_piece_decode(&input, &piece, &err))
        while (input.size && sync_run_decode(&input, &run, &err))
            assert(run.size <= INT64_MAX);
}

static void acks(struct bytes input)
{
    struct sync_ack ack;
    struct sync_failure failure;
    struct error err;
    if (sync_ack_decode(&input, &ack, &err))
        while (input.size && sync_failure_decode(&input, &failure, &err))
            assert(failure.refusal <= REFUSAL_FULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = {data, size};
    AUTO(buf_dispose) struct buf scratch = BUF(SYNC_MESSAGE_MAX);
    struct sync_message message;
    struct error err;
    size_t used;
    struct sync_hello hello;
    struct sync_welcome welcome;
    struct sync_rules rules;
    struct sync_note note;
    while (sync_message_decode(input, &scratch, &message, &used, &err) == SYNC_READY) {
        assert(used <= input.size);
        struct bytes payload = message.payload;
        switch ((enum sync_type)message.type) {
        case SYNC_BATCH:
            ops(payload);
            break;
        case SYNC_LIST:
            lists(payload);
            break;
        case SYNC_PIECE:
            pieces(payload);
            break;
        case SYNC_ACK:
            acks(payload);
            break;
        default:
            (void)!sync_hello_decode(payload, &hello, &err);
            (void)!sync_welcome_decode(payload, &welcome, &err);
            (void)!sync_rules_decode(payload, &rules, &err);
            (void)!sync_note_decode(payload, &note, &err);
            break;
        }
        input = (struct bytes){input.data + used, input.size - used};
    }
    return 0;
}
