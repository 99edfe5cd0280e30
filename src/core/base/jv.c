/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jv.h"

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

static json_t *raw(const struct jv *value)
{
    return (json_t *)(uintptr_t)value;
}

static struct jv *made(json_t *value)
{
    if (!value) /* jansson fails only without memory here */
        abort();
    return (struct jv *)value;
}

static size_t nesting(struct bytes input)
{
    size_t depth = 0, deepest = 0;
    bool text = false;
    for (size_t i = 0; i < input.size; i++) {
        uint8_t c = input.data[i];
        if (text && c == '\\')
            i++;
        else if (c == '"')
            text = !text;
        else if (!text && (c == '{' || c == '['))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!text && (c == '}' || c == ']') && depth)
            depth--;
    }
    return deepest;
}

struct jv *jv_parse(struct bytes input, struct error *err)
{
    enum { MAX_DEPTH = 256 };
    if (nesting(input) > MAX_DEPTH) {
        error_set(err, ERROR_LIMIT, "JSON of more than %d levels", MAX_DEPTH);
        return NULL;
    }
    json_error_t reason;
    json_t *value = json_loadb((const char *)input.data, input.size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &reason);
    if (!value)
        error_set(err, ERROR_INVALID, "JSON line %d column %d: %s", reason.line, reason.column,
                  reason.text);
    return (struct jv *)value;
}

void jv_free(struct jv *value)
{
    json_decref(raw(value));
}

struct jv *jv_object(void)
{
    return made(json_object());
}

struct jv *jv_array(void)
{
    return made(json_array());
}

static json_t *valid_text(const char *text)
{
    struct bytes rest = bytes_of(text);
    if (utf8_valid(rest))
        return json_string_nocheck(text);
    AUTO(buf_dispose) struct buf clean = BUF(rest.size * 3);
    while (rest.size) {
        uint32_t code_point;
        size_t used = utf8_decode(rest, &code_point);
        struct bytes piece = used ? (struct bytes){rest.data, used} : bytes_of("\xef\xbf\xbd");
        if (!buf_append(&clean, piece, NULL))
            break;
        used = used ? used : 1;
        rest = (struct bytes){rest.data + used, rest.size - used};
    }
    return json_string_nocheck(buf_string(&clean));
}

static void set(struct jv *object, const char *key, json_t *child)
{
    if (json_object_set_new(raw(object), key, (json_t *)made(child)) != 0)
        abort();
}

static void push(struct jv *array, json_t *child)
{
    if (json_array_append_new(raw(array), (json_t *)made(child)) != 0)
        abort();
}

void jv_text(struct jv *object, const char *key, const char *text)
{
    set(object, key, text ? valid_text(text) : json_null());
}

void jv_int(struct jv *object, const char *key, int64_t value)
{
    set(object, key, json_integer(value));
}

static json_t *finite_real(double value)
{
    json_t *real = json_real(value);
    return real ? real : json_null(); /* JSON has no NaN */
}

void jv_real(struct jv *object, const char *key, double value)
{
    set(object, key, finite_real(value));
}

void jv_bool(struct jv *object, const char *key, bool value)
{
    set(object, key, json_boolean(value));
}

void jv_null(struct jv *object, const char *key)
{
    set(object, key, json_null());
}

void jv_put(struct jv *object, const char *key, struct jv **child)
{
    set(object, key, raw(TAKE(*child)));
}

void jv_push(struct jv *array, struct jv **child)
{
    push(array, raw(TAKE(*child)));
}

void jv_push_text(struct jv *array, const char *text)
{
    push(array, valid_text(text));
}

void jv_push_int(struct jv *array, int64_t value)
{
    push(array, json_integer(value));
}

void jv_push_real(struct jv *array, double value)
{
    push(array, finite_real(value));
}

struct jv *jv_put_object(struct jv *object, const char *key)
{
    struct jv *child = jv_object();
    set(object, key, raw(child));
    return child;
}

struct jv *jv_put_array(struct jv *object, const char *key)
{
    struct jv *child = jv_array();
    set(object, key, raw(child));
    return child;
}

struct jv *jv_push_object(struct jv *array)
{
    struct jv *child = jv_object();
    push(array, raw(child));
    return child;
}

struct jv *jv_copy(const struct jv *value)
{
    return made(json_deep_copy(raw(value)));
}

enum jv_kind jv_kind(const struct jv *value)
{
    static const enum jv_kind kinds[] = {
        [JSON_OBJECT] = JV_OBJECT, [JSON_ARRAY] = JV_ARRAY, [JSON_STRING] = JV_TEXT,
        [JSON_INTEGER] = JV_INT,   [JSON_REAL] = JV_REAL,   [JSON_TRUE] = JV_BOOL,
        [JSON_FALSE] = JV_BOOL,    [JSON_NULL] = JV_NULL,
    };
    return value ? kinds[json_typeof(raw(value))] : JV_NONE;
}

const struct jv *jv_get(const struct jv *object, const char *key)
{
    return (const struct jv *)json_object_get(raw(object), key);
}

size_t jv_size(const struct jv *array_or_object)
{
    json_t *value = raw(array_or_object);
    return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

const struct jv *jv_at(const struct jv *array, size_t index)
{
    return (const struct jv *)json_array_get(raw(array), index);
}

const char *jv_as_text(const struct jv *value, const char *fallback)
{
    const char *text = json_string_value(raw(value));
    return text ? text : fallback;
}

double jv_as_real(const struct jv *value, double fallback)
{
    return json_is_number(raw(value)) ? json_number_value(raw(value)) : fallback;
}

const char *jv_get_text(const struct jv *object, const char *key, const char *fallback)
{
    return jv_as_text(jv_get(object, key), fallback);
}

int64_t jv_get_int(const struct jv *object, const char *key, int64_t fallback)
{
    json_t *value = raw(jv_get(object, key));
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double jv_get_real(const struct jv *object, const char *key, double fallback)
{
    return jv_as_real(jv_get(object, key), fallback);
}

bool jv_get_bool(const struct jv *object, const char *key, bool fallback)
{
    json_t *value = raw(jv_get(object, key));
    return json_is_boolean(value) ? json_boolean_value(value) : fallback;
}

void jv_each(const struct jv *object,
             bool (*visit)(void *context, const char *key, const struct jv *member), void *context)
{
    const char *key;
    json_t *member;
    json_object_foreach(raw(object), key, member)
    {
        if (!visit(context, key, (const struct jv *)member))
            return;
    }
}

struct sink {
    struct buf *out;
    struct error *err;
};

static int append(const char *text, size_t size, void *context)
{
    struct sink *sink = context;
    return buf_append(sink->out, (struct bytes){(const uint8_t *)text, size}, sink->err) ? 0 : -1;
}

bool jv_write(const struct jv *value, bool pretty, struct buf *out, struct error *err)
{
    struct error unexplained = {.kind = ERROR_INTERNAL, .text = "write JSON"};
    struct sink sink = {out, err ? err : &unexplained};
    size_t flags =
        JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
    return json_dump_callback(raw(value), append, &sink, flags) == 0;
}
