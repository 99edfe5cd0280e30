/* SPDX-License-Identifier: Apache-2.0 */
/* Two files made from the input: what is copied from the old one and what is sent make up the new
 * one, to the byte, and their sizes are those of the pieces. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "sync/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Long enough for several pieces: noise from `seed`, into which the input is laid. */
static struct buf content(uint32_t seed, struct bytes input, size_t step)
{
    struct buf out = BUF(8 << 20);
    struct error err;
    uint64_t random = seed;
    for (size_t at = 0; at < 96 * 1024; at += 8) {
        uint8_t noise[8];
        random = random * 6364136223846793005u + 1442695040888963407u;
        memcpy(noise, &random, sizeof noise);
        assert(buf_append(&out, (struct bytes){noise, sizeof noise}, &err));
        if (step && at % (step * 8) == 0)
            assert(buf_append(&out, input, &err));
    }
    return out;
}

static int file_of(const struct buf *content)
{
    struct error err;
    int fd = memfd_create("content", MFD_CLOEXEC);
    assert(fd >= 0 && fd_write_all(fd, buf_bytes(content), &err));
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > 4096)
        return 0;
    struct error err;
    struct bytes input = {data + 3, size - 3};
    AUTO(buf_dispose) struct buf old = content(data[0] % 4, input, data[1] * 16u);
    AUTO(buf_dispose) struct buf new = content(data[0] / 64, input, data[2] * 16u);
    AUTO(fd_close) int old_fd = file_of(&old);
    AUTO(fd_close) int new_fd = file_of(&new);
    AUTO(chunk_result_dispose) struct chunk_result before = {0};
    AUTO(chunk_result_dispose) struct chunk_result after = {0};
    assert(chunk_scan(old_fd, old.size, NULL, NULL, &before, &err));
    assert(chunk_scan(new_fd, new.size, before.list, NULL, &after, &err));
    size_t at = 0, pieces = 0;
    for (size_t i = 0; i < after.segment_count; i++) {
        const struct chunk_segment *segment = &after.segments[i];
        assert(segment->size > 0 && segment->size <= new.size - at);
        if (segment->old_offset != CHUNK_LITERAL) {
            assert(segment->old_offset <= old.size);
            assert(segment->size <= old.size - segment->old_offset);
            assert(memcmp(old.data + segment->old_offset, new.data + at, segment->size) == 0);
        }
        at += segment->size;
    }
    for (uint32_t i = 0; i < after.list->count; i++)
        pieces += after.list->items[i].size;
    assert(at == new.size &&pieces == new.size);
    assert(hash128_equal(after.list->content, sum_of(buf_bytes(&new))));
    return 0;
}
