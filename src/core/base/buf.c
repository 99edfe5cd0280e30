/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"

void buf_dispose(struct buf *buf)
{
    free(buf->data);
    *buf = BUF(buf->limit);
}

uint8_t *buf_reserve(struct buf *buf, size_t size, struct error *err)
{
    if (size > buf->limit || buf->size > buf->limit - size) {
        error_set(err, ERROR_LIMIT, "%zu bytes more than the %zu allowed",
                  buf->size + size - buf->limit, buf->limit);
        return NULL;
    }
    size_t need = buf->size + size + 1;
    if (need > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity : 64;
        while (capacity < need)
            capacity = capacity < 1024 * 1024 ? capacity * 2 : capacity + capacity / 2;
        if (capacity > buf->limit + 1)
            capacity = buf->limit + 1;
        buf->data = xrealloc(buf->data, capacity);
        buf->capacity = capacity;
        buf->data[buf->size] = '\0';
    }
    return buf->data + buf->size;
}

void buf_commit(struct buf *buf, size_t size)
{
    assert(buf->size + size < buf->capacity);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

bool buf_append(struct buf *buf, struct bytes bytes, struct error *err)
{
    uint8_t *room = buf_reserve(buf, bytes.size, err);
    if (!room)
        return false;
    if (bytes.size)
        memcpy(room, bytes.data, bytes.size);
    buf_commit(buf, bytes.size);
    return true;
}

bool buf_text(struct buf *buf, const char *text, struct error *err)
{
    return buf_append(buf, bytes_of(text), err);
}

bool buf_printf(struct buf *buf, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return error_set(err, ERROR_INTERNAL, "format text");
    bool done = buf_append(buf, (struct bytes){(uint8_t *)text, (size_t)length}, err);
    free(text);
    return done;
}

void buf_consume(struct buf *buf, size_t size)
{
    assert(size <= buf->size);
    if (size == 0)
        return;
    memmove(buf->data, buf->data + size, buf->size - size);
    buf->size -= size;
    buf->data[buf->size] = '\0';
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? (char *)buf->data : xstrdup("");
    *buf = BUF(buf->limit);
    return text;
}
