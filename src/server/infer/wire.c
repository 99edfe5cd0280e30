/* SPDX-License-Identifier: Apache-2.0 */
#include "infer/wire_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"

bool wire_send(int socket, const void *message, size_t size)
{
    ssize_t sent;
    do
        sent = send(socket, message, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)size;
}

bool wire_receive(int socket, void *message, size_t size)
{
    ssize_t got;
    do
        got = recv(socket, message, size, MSG_TRUNC);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

void wire_error_put(const struct error *err, struct wire_error *out)
{
    out->kind = (int32_t)err->kind;
    snprintf(out->text, sizeof out->text, "%s", err->text);
}

bool wire_error_get(const struct wire_error *wire, struct error *err)
{
    bool known = wire->kind >= 0 && wire->kind <= (int32_t)ERROR_INTERNAL;
    return error_set(err, known ? (enum error_kind)wire->kind : ERROR_INTERNAL, "%.*s",
                     (int)strnlen(wire->text, sizeof wire->text), wire->text);
}

bool wire_tensor_check(const struct wire_tensor *tensor, size_t size, size_t *out_bytes)
{
    if (tensor->type > (uint32_t)TENSOR_BOOL || tensor->rank < 0 || tensor->rank > TENSOR_RANK ||
        tensor->place % WIRE_ALIGN != 0 || tensor->place > size)
        return false;
    size_t each = tensor_type_size((enum tensor_type)tensor->type);
    size_t count = tensor_count(tensor->rank, tensor->dims);
    bool empty = false;
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i] < 0)
            return false;
        empty = empty || tensor->dims[i] == 0;
    }
    if (each == 0 || (count == 0) != empty || count > (size - tensor->place) / each)
        return false;
    *out_bytes = count * each;
    return true;
}

uint64_t wire_align(uint64_t place)
{
    return (place + WIRE_ALIGN - 1) / WIRE_ALIGN * WIRE_ALIGN;
}
