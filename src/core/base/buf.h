/* SPDX-License-Identifier: Apache-2.0 */
/* A growing run of bytes with a ceiling that its owner states. Always followed by a NUL that is
 * not counted, so text can be printed as it is. */
#pragma once

#include "base/attributes.h"
#include "base/auto.h"
#include "base/bytes.h"

struct error;

struct buf {
    uint8_t *data;
    size_t size, capacity;
    size_t limit; /* bytes; growth beyond it fails */
};

/* struct buf text = BUF(64 * 1024); nothing is allocated before the first byte. */
#define BUF(limit_bytes) ((struct buf){.limit = (limit_bytes)})

void buf_dispose(struct buf *buf);
static inline void buf_dispose_auto(struct buf *buf)
{
    buf_dispose(buf);
}

/* Appending fails with ERROR_LIMIT when it would pass the limit; the buffer is then unchanged. */
MUST_USE bool buf_append(struct buf *buf, struct bytes bytes, struct error *err);
MUST_USE bool buf_text(struct buf *buf, const char *text, struct error *err);
MUST_USE bool buf_printf(struct buf *buf, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* `size` bytes at the end for the caller to fill in, then buf_commit what was filled. NULL and
 * ERROR_LIMIT when they would pass the limit. */
MUST_USE uint8_t *buf_reserve(struct buf *buf, size_t size, struct error *err);
void buf_commit(struct buf *buf, size_t size);

/* Drops the first `size` bytes. */
void buf_consume(struct buf *buf, size_t size);
void buf_clear(struct buf *buf);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return (struct bytes){buf->data, buf->size};
}

/* The content as text; "" while empty. Borrowed until the next change. */
static inline const char *buf_string(const struct buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}

/* Hands the content over as a NUL-ended string from malloc and leaves the buffer empty. */
MUST_USE char *buf_take(struct buf *buf);
