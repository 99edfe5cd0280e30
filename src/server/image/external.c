/* SPDX-License-Identifier: Apache-2.0 */
/* An ONNX file is a protocol buffer: fields, each a key (number << 3 | how it is written) and a
 * value. Of its messages only those are entered that lead to a tensor:
 *
 *     model → graph, function → node → attribute → tensor, graph …     tensor → entry (key, value)
 *
 * Everything else is stepped over, so that gigabytes of weights in the file cost nothing. */
#include "image/external.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { MAX_DEPTH = 40, NAME_SIZE = 256 };

enum message { LEAF, MODEL, GRAPH, FUNCTION, NODE, ATTRIBUTE, SPARSE, TENSOR, ENTRY };

/* Which fields of a message are messages to enter. */
static const struct {
    enum message in;
    uint32_t field;
    enum message is;
} ways[] = {
    {MODEL, 7, GRAPH},     {MODEL, 25, FUNCTION},   {GRAPH, 1, NODE},       {GRAPH, 5, TENSOR},
    {GRAPH, 15, SPARSE},   {FUNCTION, 7, NODE},     {NODE, 5, ATTRIBUTE},   {ATTRIBUTE, 5, TENSOR},
    {ATTRIBUTE, 6, GRAPH}, {ATTRIBUTE, 10, TENSOR}, {ATTRIBUTE, 11, GRAPH}, {ATTRIBUTE, 22, SPARSE},
    {SPARSE, 1, TENSOR},   {ATTRIBUTE, 23, SPARSE}, {SPARSE, 2, TENSOR},    {TENSOR, 13, ENTRY},
};

enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

struct field {
    uint32_t number;
    struct bytes content; /* of those that have a length; otherwise empty */
};

static enum message way(enum message in, uint32_t field)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (ways[i].in == in && ways[i].field == field)
            return ways[i].is;
    return LEAF;
}

static bool varint(struct bytes *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && rest->size > 0; shift += 7) {
        uint8_t byte = *rest->data;
        *rest = (struct bytes){rest->data + 1, rest->size - 1};
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool skip(struct bytes *rest, uint64_t size)
{
    if (size > rest->size)
        return false;
    *rest = (struct bytes){rest->data + size, rest->size - (size_t)size};
    return true;
}

/* The first field of `rest`, which is what follows it then. */
static bool field_next(struct bytes *rest, struct field *out)
{
    enum { VARINT, EIGHT_BYTES, WITH_LENGTH, FOUR_BYTES = 5 };
    uint64_t key, value;
    if (!varint(rest, &key) || key >> 3 == 0 || key >> 32)
        return false;
    *out = (struct field){.number = (uint32_t)(key >> 3), .content = {rest->data, 0}};
    switch (key & 7) {
    case VARINT:
        return varint(rest, &value);
    case EIGHT_BYTES:
        return skip(rest, 8);
    case FOUR_BYTES:
        return skip(rest, 4);
    case WITH_LENGTH:
        if (!varint(rest, &value))
            return false;
        out->content = (struct bytes){rest->data, (size_t)value};
        return skip(rest, value);
    default:
        return false;
    }
}

static bool broken(struct error *err)
{
    return error_set(err, ERROR_INVALID, "it is no ONNX model, or not a whole one");
}

static bool name_add(struct external *out, struct bytes name, struct error *err)
{
    char text[NAME_SIZE];
    if (name.size > 2 && memcmp(name.data, "./", 2) == 0)
        name = (struct bytes){name.data + 2, name.size - 2};
    bool fits = name.size > 0 && name.size < sizeof text && !memchr(name.data, 0, name.size);
    if (fits) {
        memcpy(text, name.data, name.size);
        text[name.size] = '\0';
    }
    if (!fits || text[0] == '.' || strchr(text, '/') || strchr(text, '\\'))
        return error_set(err, ERROR_INVALID, "it keeps weights in \"%.*s\", not beside itself",
                         name.size < 80 ? (int)name.size : 80, (const char *)name.data);
    for (int i = 0; i < out->count; i++)
        if (strcmp(out->names[i], text) == 0)
            return true;
    if (out->count == EXTERNAL_FILES)
        return error_set(err, ERROR_LIMIT, "it keeps its weights in more than %d files",
                         EXTERNAL_FILES);
    out->names[out->count++] = xstrdup(text);
    return true;
}

/* A tensor's remark: a name and what it says. */
static bool entry_read(struct bytes entry, struct external *out, struct error *err)
{
    struct bytes key = {NULL, 0}, value = {NULL, 0};
    struct field field;
    while (entry.size > 0) {
        if (!field_next(&entry, &field))
            return broken(err);
        if (field.number == ENTRY_KEY)
            key = field.content;
        else if (field.number == ENTRY_VALUE)
            value = field.content;
    }
    return !bytes_equal(key, bytes_of("location")) || name_add(out, value, err);
}

/* Goes through the messages with a list of those that are open, not by calling itself: a file says
 * how deep. */
static bool walk(struct bytes model, struct external *out, struct error *err)
{
    struct {
        struct bytes rest;
        enum message is;
    } open[MAX_DEPTH] = {{model, MODEL}};
    int depth = 1;
    while (depth > 0) {
        struct field field;
        if (open[depth - 1].rest.size == 0) {
            depth--;
            continue;
        }
        if (!field_next(&open[depth - 1].rest, &field))
            return broken(err);
        enum message is = way(open[depth - 1].is, field.number);
        if (is == ENTRY && !entry_read(field.content, out, err))
            return false;
        if (is == LEAF || is == ENTRY)
            continue;
        if (depth == MAX_DEPTH)
            return error_set(err, ERROR_INVALID, "its graphs are nested too deep");
        open[depth].rest = field.content;
        open[depth++].is = is;
    }
    return true;
}

bool external_find(struct bytes model, struct external *out, struct error *err)
{
    *out = (struct external){.count = 0};
    if (model.size > 0 && walk(model, out, err))
        return true;
    external_dispose(out);
    return model.size > 0 ? false : broken(err);
}

void external_dispose(struct external *external)
{
    for (int i = 0; i < external->count; i++)
        free(external->names[i]);
    external->count = 0;
}
