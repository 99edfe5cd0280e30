/* SPDX-License-Identifier: Apache-2.0 */
/* A remembered tree of any bytes is refused or read; the check sum is put right here, so that what
 * is behind it is reached. Journals likewise. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "sync/snapshot.h"
#include "sync/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct snapshot snapshot = {0};
    AUTO(buf_dispose) struct buf input = BUF(1 << 26);
    AUTO(tree_free) struct tree *tree = tree_new();
    struct hash128 hash = hash128_of((struct bytes){data, size});
    assert(buf_append(&input, (struct bytes){data, size}, &err));
    assert(buf_append(&input, (struct bytes){hash.bytes, sizeof hash.bytes}, &err));
    if (snapshot_decode(buf_bytes(&input), tree, &snapshot, &err)) {
        AUTO(buf_dispose) struct buf out = BUF(1 << 26);
        AUTO(tree_free) struct tree *again = tree_new();
        uint64_t before, after;
        struct hash128 digest = tree_digest(tree, TREE_BASE, &before);
        assert(snapshot_encode(&snapshot, tree, &out, &err));
        assert(snapshot_decode(buf_bytes(&out), again, &snapshot, &err));
        assert(hash128_equal(digest, tree_digest(again, TREE_BASE, &after)) && before == after);
    }
    struct bytes journal = {data, size};
    struct journal_record record;
    uint64_t generation;
    if (journal_header_decode(&journal, &generation, &err))
        while (journal_record_decode(&journal, &record))
            assert(record.path.size > 0);
    return 0;
}
