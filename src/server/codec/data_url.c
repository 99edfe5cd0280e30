/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "codec/codec.h"

char *data_url(const char *type, const struct buf *file)
{
    /* Room for all of it: nothing below can fail. */
    AUTO(buf_dispose) struct buf url = BUF(file->size * 2 + 256);
    if (!buf_printf(&url, NULL, "data:%s;base64,", type) ||
        !base64_encode(buf_bytes(file), &url, NULL))
        return xstrdup("");
    return buf_take(&url);
}
