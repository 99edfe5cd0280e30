/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values ("jv"), over jansson, whose own names begin with json_. A value is a tree; what the
 * readers return is borrowed from it. Reading a key that is missing, or from NULL, yields NULL or
 * the fallback, so that a chain needs one check at its end. */
#pragma once

#include "base/attributes.h"
#include "base/auto.h"
#include "base/bytes.h"

struct buf;
struct error;
struct jv;

/* Refuses more than 256 levels, duplicate keys, invalid UTF-8 and anything after the value. */
MUST_USE struct jv *jv_parse(struct bytes input, struct error *err);
void jv_free(struct jv *value);
static inline void jv_free_auto(struct jv **value)
{
    jv_free(*value);
}

MUST_USE struct jv *jv_object(void);
MUST_USE struct jv *jv_array(void);

/* Writers. `object` must be an object; text must be valid UTF-8, what is not becomes U+FFFD.
 * jv_put and jv_push take the child over. NULL text is written as null. */
void jv_text(struct jv *object, const char *key, const char *text);
void jv_int(struct jv *object, const char *key, int64_t value);
void jv_real(struct jv *object, const char *key, double value);
void jv_bool(struct jv *object, const char *key, bool value);
void jv_null(struct jv *object, const char *key);
void jv_put(struct jv *object, const char *key, struct jv **child);
void jv_push(struct jv *array, struct jv **child);
void jv_push_text(struct jv *array, const char *text);
void jv_push_int(struct jv *array, int64_t value);
void jv_push_real(struct jv *array, double value);
/* A new object or array inside `object` or `array`, borrowed. */
struct jv *jv_put_object(struct jv *object, const char *key);
struct jv *jv_put_array(struct jv *object, const char *key);
struct jv *jv_push_object(struct jv *array);
MUST_USE struct jv *jv_copy(const struct jv *value);

enum jv_kind {
    JV_NONE, /* no value at all */
    JV_OBJECT,
    JV_ARRAY,
    JV_TEXT,
    JV_INT,
    JV_REAL,
    JV_BOOL,
    JV_NULL,
};
enum jv_kind jv_kind(const struct jv *value);

const struct jv *jv_get(const struct jv *object, const char *key);
size_t jv_size(const struct jv *array_or_object);
const struct jv *jv_at(const struct jv *array, size_t index);
const char *jv_get_text(const struct jv *object, const char *key, const char *fallback);
int64_t jv_get_int(const struct jv *object, const char *key, int64_t fallback);
/* Takes integers too. */
double jv_get_real(const struct jv *object, const char *key, double fallback);
bool jv_get_bool(const struct jv *object, const char *key, bool fallback);
const char *jv_as_text(const struct jv *value, const char *fallback);
double jv_as_real(const struct jv *value, double fallback);

/* Calls visit for each member until it returns false. */
void jv_each(const struct jv *object,
             bool (*visit)(void *context, const char *key, const struct jv *member), void *context);

/* Appends the text, compact or indented by two spaces. */
MUST_USE bool jv_write(const struct jv *value, bool pretty, struct buf *out, struct error *err);
