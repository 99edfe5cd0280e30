/* SPDX-License-Identifier: Apache-2.0 */
/* What endpoints with a JSON body share. */
#include "api/endpoint.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "http/header.h"

static bool refuse(struct error *err, const char *code, const char *why)
{
    error_set(err, ERROR_INVALID, "%s", why);
    return error_about(err, NULL, code);
}

struct jv *endpoint_json(const struct http_request *request, struct error *err)
{
    const char *type = http_request_header(request, "Content-Type");
    if (!type || !bytes_equal_nocase(header_value(bytes_of(type)), "application/json")) {
        refuse(err, "json_expected", "the body is not application/json");
        return NULL;
    }
    AUTO(jv_free) struct jv *body = jv_parse(http_request_body(request), err);
    if (!body) {
        error_about(err, NULL, "json_malformed");
        return NULL;
    }
    if (jv_kind(body) == JV_OBJECT)
        return TAKE(body);
    refuse(err, "json_malformed", "the body is no object");
    return NULL;
}

bool endpoint_json_number(const struct field *fields, const char *name, const struct jv *body,
                          double *out, struct error *err)
{
    const struct field *field = fields;
    while (field->name && strcmp(field->name, name) != 0)
        field++;
    const struct jv *value = jv_get(body, name);
    enum jv_kind kind = jv_kind(value);
    if (kind == JV_NONE || kind == JV_NULL) {
        *out = field->initial ? strtod(field->initial, NULL) : *out;
        return true;
    }
    if (kind != JV_INT && kind != JV_REAL) {
        error_set(err, ERROR_INVALID, "%s is not a number", field->name);
        return error_about(err, field->name, "number_malformed");
    }
    double number = jv_as_real(value, 0);
    if (number < field->min || number > field->max) {
        error_set(err, ERROR_INVALID, "%s: %g is not in %g to %g", field->name, number, field->min,
                  field->max);
        return error_about(err, field->name, "number_out_of_range");
    }
    *out = number;
    return true;
}
