/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include "api/endpoint.h"
#include "api/engines.h"
#include "api/metrics.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/server.h"
#include "image/scheduler.h"

enum { SLOW_MS = 1000 };

struct bound {
    struct api *api;
    struct offer {
        const struct endpoint *endpoint;
        struct http_part_rule *rules;
    } * offers; /* those of this process's roles, in step with routes */
    struct http_route *routes;
    size_t count;
};

/* The form's table of parts, from the endpoint's table of fields. */
static struct http_part_rule *rules_of(const struct endpoint *endpoint)
{
    size_t count = 0;
    struct http_part_rule *rules = xcalloc(HTTP_FORM_MAX_PARTS + 1, sizeof *rules);
    for (const struct field *field = endpoint->fields; field && field->name; field++) {
        if (field->place != FIELD_FORM || count == HTTP_FORM_MAX_PARTS)
            continue;
        rules[count++] = (struct http_part_rule){
            .name = field->name,
            .kind = field->kind == FIELD_FILE ? HTTP_PART_FILE : HTTP_PART_TEXT,
            .max_bytes = field->max_bytes ? field->max_bytes : 256,
            .too_large_code = field->too_large_code,
            .not_utf8_code = field->not_utf8_code,
            .control_code = field->control_code,
            .required = field->required,
        };
    }
    return rules;
}

static const struct endpoint *endpoint_of(const struct bound *bound,
                                          const struct http_request *request)
{
    const struct http_route *route = http_request_route(request);
    return route ? bound->offers[route - bound->routes].endpoint : NULL;
}

static bool handle(void *context, const struct http_request *request,
                   struct http_response *response, struct error *err)
{
    const struct bound *bound = context;
    const struct endpoint *endpoint = endpoint_of(bound, request);
    if (endpoint->roles != API_ALWAYS)
        engines_warm(bound->api->engines); /* somebody is here: a message may follow */
    bool done = endpoint->handle(bound->api, request, response, err);
    if (endpoint->heavy)
        engines_worked(bound->api->engines);
    return done;
}

/* The field that a whole body is too large for: its file, of which there is one that must be. */
static const char *large_field(const struct endpoint *endpoint)
{
    for (const struct field *field = endpoint ? endpoint->fields : NULL; field && field->name;
         field++)
        if (field->place == FIELD_FORM && field->kind == FIELD_FILE)
            return field->name;
    return NULL;
}

static void explain(void *context, const struct http_request *request, const struct error *err,
                    struct http_response *response)
{
    struct error named = *err;
    if (err->code && !err->field && strcmp(err->code, "body_too_large") == 0)
        error_about(&named, large_field(endpoint_of(context, request)), err->code);
    api_problem(request, &named, response);
}

static void finished(void *context, const struct http_request *request, int status, bool complete)
{
    const struct bound *bound = context;
    const struct http_route *route = http_request_route(request);
    size_t index = route ? (size_t)(route - bound->routes) : bound->count;
    int64_t took_ns = mono_ns() - http_request_started_ns(request);
    metrics_request(bound->api->metrics, index, http_request_method(request), status, took_ns);

    const struct endpoint *endpoint = endpoint_of(bound, request);
    bool slow = took_ns > SLOW_MS * INT64_C(1000000) && !(endpoint && endpoint->long_lived);
    bool watching = endpoint && endpoint->roles == API_ALWAYS; /* health and metrics, often */
    if (!slow && complete && watching)
        return;
    enum http_method method = http_request_method(request);
    bool reads = method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
    log_set_id(http_request_id(request));
    log_event(slow ? LOG_WARN : (reads ? LOG_DEBUG : LOG_INFO),
              slow       ? "http.slow"
              : complete ? "http.request"
                         : "http.broken_off",
              (struct log_field[]){
                  LOG_TEXT("method", http_method_name(method)),
                  LOG_TEXT("path", http_request_path(request)),
                  LOG_INT("status", status),
                  LOG_INT("took_ms", took_ns / 1000000),
                  {.kind = 0},
              });
    log_set_id(NULL);
}

static void closed(void *context, struct http_peer peer)
{
    const struct bound *bound = context;
    scheduler_gone(engines_turns(bound->api->engines),
                   (struct image_client){peer.address, peer.connection});
}

void api_app(struct api *api, struct http_app *out)
{
    struct bound *bound = xcalloc(1, sizeof *bound);
    size_t total = endpoint_count();
    *bound = (struct bound){
        .api = api,
        .offers = xcalloc(total, sizeof *bound->offers),
        .routes = xcalloc(total, sizeof *bound->routes),
    };
    for (size_t i = 0; i < total; i++) {
        const struct endpoint *endpoint = &endpoints[i];
        if (endpoint->roles != API_ALWAYS && !(endpoint->roles & api->roles))
            continue;
        bool form = endpoint->max_body > 0;
        size_t at = bound->count++;
        struct http_part_rule *rules = form ? rules_of(endpoint) : NULL;
        bound->offers[at] = (struct offer){endpoint, rules};
        bound->routes[at] = (struct http_route){
            .method = endpoint->method,
            .pattern = endpoint->pattern,
            .body = form                 ? HTTP_BODY_FORM
                    : endpoint->max_json ? HTTP_BODY_BYTES
                                         : HTTP_BODY_NONE,
            .max_body = form ? endpoint->max_body : endpoint->max_json,
            .parts = rules,
            .blocking = endpoint->blocking,
            .heavy = endpoint->heavy || form, /* pictures: decoding, models */
        };
        metrics_route(api->metrics, at, endpoint->pattern);
    }
    metrics_route(api->metrics, bound->count, "unmatched");
    *out = (struct http_app){
        .context = bound,
        .routes = bound->routes,
        .route_count = bound->count,
        .handle = handle,
        .explain = explain,
        .finished = finished,
        .closed = closed,
    };
}

void api_close(struct http_app *app)
{
    struct bound *bound = app->context;
    if (!bound)
        return;
    for (size_t i = 0; i < bound->count; i++)
        free(bound->offers[i].rules);
    free(bound->offers);
    free(bound->routes);
    free(bound);
    *app = (struct http_app){.context = NULL};
}

bool endpoint_number(const struct field *fields, const char *name, const struct http_form *form,
                     double *out, struct error *err)
{
    const struct field *field = fields;
    while (field->name && strcmp(field->name, name) != 0)
        field++;
    const char *text = http_form_text(form, name);
    if (!text || !*text)
        text = field->initial;
    if (!text)
        return true; /* *out stays as it is */
    double value = 0;
    int64_t whole = 0;
    bool integer = field->kind == FIELD_INTEGER;
    bool number = integer ? text_int(text, INT64_MIN / 2, INT64_MAX / 2, &whole)
                          : text_real(text, -1e15, 1e15, &value);
    if (integer)
        value = (double)whole;
    if (!number) {
        error_set(err, ERROR_INVALID, "%s: \"%.40s\" is not %s number", field->name, text,
                  integer ? "a whole" : "a");
        return error_about(err, field->name, "number_malformed");
    }
    if (value < field->min || value > field->max) {
        error_set(err, ERROR_INVALID, "%s: %g is not in %g to %g", field->name, value, field->min,
                  field->max);
        return error_about(err, field->name, "number_out_of_range");
    }
    *out = value;
    return true;
}
