/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.json: the route table as an OpenAPI 3.1 document. */
#include "api/endpoint.h"

#include <ctype.h>
#include <stdio.h>

#include "api/schemas.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"

static void add_number_limits(struct jv *schema, const struct field *field)
{
    bool integer = field->kind == FIELD_INTEGER;
    jv_text(schema, "type", integer ? "integer" : "number");
    jv_real(schema, "minimum", field->min);
    jv_real(schema, "maximum", field->max);
    if (!field->initial)
        return;
    if (integer)
        jv_int(schema, "default", strtol(field->initial, NULL, 10));
    else
        jv_real(schema, "default", strtod(field->initial, NULL));
}

static void add_schema(struct jv *schema, const struct field *field)
{
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_INTEGER:
        add_number_limits(schema, field);
        return;
    case FIELD_FILE:
        jv_text(schema, "type", "string");
        jv_text(schema, "contentMediaType", "application/octet-stream");
        return;
    case FIELD_TEXT:
        jv_text(schema, "type", "string");
        if (field->initial)
            jv_text(schema, "default", field->initial);
    }
    if (!field->choices)
        return;
    struct jv *choices = jv_put_array(schema, "enum");
    for (const char *const *choice = field->choices; *choice; choice++)
        jv_push_text(choices, *choice);
}

static void add_parameters(struct jv *operation, const struct endpoint *endpoint)
{
    static const char *const places[] = {
        [FIELD_PATH] = "path", [FIELD_QUERY] = "query", [FIELD_HEADER] = "header"};
    struct jv *parameters = NULL;
    for (const struct field *field = endpoint->fields; field && field->name; field++) {
        if (field->place == FIELD_FORM || field->place == FIELD_JSON)
            continue;
        if (!parameters)
            parameters = jv_put_array(operation, "parameters");
        struct jv *parameter = jv_push_object(parameters);
        jv_text(parameter, "name", field->name);
        jv_text(parameter, "in", places[field->place]);
        jv_text(parameter, "description", field->help);
        jv_bool(parameter, "required", field->required);
        add_schema(jv_put_object(parameter, "schema"), field);
    }
}

static void add_body(struct jv *operation, const struct endpoint *endpoint)
{
    if (endpoint->max_body == 0 && endpoint->max_json == 0)
        return;
    enum field_place place = endpoint->max_body ? FIELD_FORM : FIELD_JSON;
    const char *type = endpoint->max_body ? "multipart/form-data" : "application/json";
    struct jv *body = jv_put_object(operation, "requestBody");
    jv_bool(body, "required", true);
    struct jv *content = jv_put_object(body, "content");
    struct jv *schema = jv_put_object(jv_put_object(content, type), "schema");
    jv_text(schema, "type", "object");
    if (place == FIELD_FORM)
        jv_bool(schema, "additionalProperties", false);
    struct jv *required = jv_put_array(schema, "required");
    struct jv *properties = jv_put_object(schema, "properties");
    for (const struct field *field = endpoint->fields; field && field->name; field++) {
        if (field->place != place)
            continue;
        struct jv *property = jv_put_object(properties, field->name);
        add_schema(property, field);
        jv_text(property, "description", field->help);
        if (field->required)
            jv_push_text(required, field->name);
    }
}

static struct jv *member_of(struct jv *object, const char *key)
{
    struct jv *there = (struct jv *)jv_get(object, key);
    return there ? there : jv_put_object(object, key);
}

static void add_content(struct jv *answer, const char *type, const char *schema)
{
    struct jv *media = jv_put_object(member_of(answer, "content"), type);
    struct jv *shape = jv_put_object(media, "schema");
    if (!schema)
        return;
    AUTO(mem_free) char *reference = xasprintf("#/components/schemas/%s", schema);
    jv_text(shape, "$ref", reference);
}

static void add_answers(struct jv *operation, const struct endpoint *endpoint)
{
    struct jv *answers = jv_put_object(operation, "responses");
    for (const struct answer *row = endpoint->answers; row && row->status; row++) {
        char status[8];
        snprintf(status, sizeof status, "%d", row->status);
        struct jv *answer = member_of(answers, status); /* one status may have several kinds */
        jv_text(answer, "description", row->help);
        if (row->type)
            add_content(answer, row->type, row->schema);
    }
    struct jv *problem = jv_put_object(answers, "default");
    jv_text(problem, "description", "A problem (RFC 9457), in Japanese or English.");
    add_content(problem, "application/problem+json", "Problem");
}

static void add_endpoint(struct jv *paths, const struct endpoint *endpoint)
{
    char method[16];
    snprintf(method, sizeof method, "%s", http_method_name(endpoint->method));
    for (char *at = method; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    struct jv *operation = jv_put_object(member_of(paths, endpoint->pattern), method);
    jv_text(operation, "operationId", endpoint->id);
    jv_push_text(jv_put_array(operation, "tags"), endpoint->group);
    jv_text(operation, "summary", endpoint->summary);
    if (endpoint->help)
        jv_text(operation, "description", endpoint->help);
    add_parameters(operation, endpoint);
    add_body(operation, endpoint);
    add_answers(operation, endpoint);
}

bool api_openapi(struct api *api, const struct http_request *request,
                 struct http_response *response, struct error *err)
{
    AUTO(jv_free) struct jv *document = jv_object();
    jv_text(document, "openapi", "3.1.0");
    struct jv *info = jv_put_object(document, "info");
    jv_text(info, "title", "Video Message App");
    jv_text(info, "version", api->version);
    jv_text(info, "description", "A photo and a sentence become a talking video message.");
    struct jv *license = jv_put_object(info, "license");
    jv_text(license, "name", "Apache-2.0");
    jv_text(license, "identifier", "Apache-2.0");
    struct jv *server = jv_push_object(jv_put_array(document, "servers"));
    jv_text(server, "url", "/");
    struct jv *paths = jv_put_object(document, "paths");
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *endpoint = &endpoints[i];
        bool offered = endpoint->roles == API_ALWAYS || (endpoint->roles & api->roles);
        if (endpoint->id && offered)
            add_endpoint(paths, endpoint);
    }
    struct jv *schemas = jv_parse(bytes_of(api_schemas), err);
    if (!schemas)
        return error_wrap(err, "schemas");
    jv_put(jv_put_object(document, "components"), "schemas", &schemas);
    http_response_header(response, "Cache-Control", "no-cache");
    http_response_json(response, NULL, &document);
    return true;
}
