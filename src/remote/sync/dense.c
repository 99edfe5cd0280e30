/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/dense.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/auto.h"

enum { MARGIN_PERCENT = 140 };

/* How many pairs of equal bytes there are, beside how many chance alone would make. */
bool dense_bytes(struct bytes sample)
{
    uint64_t counts[256] = {0}, pairs = 0;
    if (sample.size < DENSE_LEAST)
        return false;
    for (size_t i = 0; i < sample.size; i++)
        counts[sample.data[i]]++;
    for (size_t i = 0; i < 256; i++)
        pairs += counts[i] * (counts[i] ? counts[i] - 1 : 0);
    return pairs * 256 * 100 < (uint64_t)sample.size * sample.size * MARGIN_PERCENT;
}

bool dense_file(int root, const char *path, uint64_t size)
{
    uint8_t sample[DENSE_SAMPLE];
    AUTO(fd_close) int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    uint64_t at = size > sizeof sample ? (size - sizeof sample) / 2 : 0;
    ssize_t got = pread(fd, sample, sizeof sample, (off_t)at);
    return got > 0 && dense_bytes((struct bytes){sample, (size_t)got});
}
