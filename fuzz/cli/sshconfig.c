/* SPDX-License-Identifier: Apache-2.0 */
/* Any ~/.ssh/config: our block goes in, going in again changes nothing, and the rest stays. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/sshconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct sshconfig config = {.host = "gpu", .port = 22};
    AUTO(buf_dispose) struct buf block = BUF(64 * 1024);
    AUTO(buf_dispose) struct buf once = BUF(8 << 20);
    AUTO(buf_dispose) struct buf twice = BUF(8 << 20);
    struct bytes file = {data, size};
    assert(sshconfig_block(&config, &block, &err));
    if (!sshconfig_merge(file, "gpu", buf_bytes(&block), &once, &err))
        return 0;
    assert(sshconfig_merge(buf_bytes(&once), "gpu", buf_bytes(&block), &twice, &err));
    assert(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    if (size && !memmem(data, size, "vma: gpu", 8))
        assert(memmem(once.data, once.size, data, size));
    return 0;
}
