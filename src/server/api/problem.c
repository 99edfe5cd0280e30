/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/endpoint.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/header.h"

enum language api_language(const struct http_request *request)
{
    static const char *const offers[] = {[LANGUAGE_JA] = "ja", [LANGUAGE_EN] = "en", NULL};
    const char *chosen = http_request_query(request, "lang");
    for (size_t i = 0; chosen && i < LANGUAGES; i++)
        if (strcmp(chosen, offers[i]) == 0)
            return (enum language)i;
    return (enum language)header_language(http_request_header(request, "Accept-Language"), offers);
}

static const char *const language_tags[] = {[LANGUAGE_JA] = "ja", [LANGUAGE_EN] = "en"};

static void log_problem(const struct http_request *request, const struct error *err, int status)
{
    log_set_id(http_request_id(request));
    if (status >= 500)
        log_error("http.failed", LOG_TEXT("path", http_request_path(request)),
                  LOG_INT("status", status), LOG_TEXT("code", err->code ? err->code : ""),
                  LOG_ERROR(err));
    else
        log_debug("http.refused", LOG_TEXT("path", http_request_path(request)),
                  LOG_INT("status", status), LOG_TEXT("code", err->code ? err->code : ""),
                  LOG_ERROR(err));
    log_set_id(NULL);
}

void api_problem(const struct http_request *request, const struct error *err,
                 struct http_response *response)
{
    const struct problem_row *row = problem_of(err);
    enum language language = api_language(request);
    AUTO(jv_free) struct jv *body = jv_object();
    AUTO(mem_free) char *type = xasprintf("/problems/%s", row->code);
    AUTO(mem_free) char *instance = xasprintf("urn:request:%s", http_request_id(request));

    log_problem(request, err, row->status);
    jv_text(body, "type", type);
    jv_text(body, "title", row->title[language]);
    jv_int(body, "status", row->status);
    jv_text(body, "detail", row->detail[language]);
    jv_text(body, "code", row->code);
    if (err->field)
        jv_text(body, "field", err->field);
    else if (row->text_is_field)
        jv_text(body, "field", err->text);
    if (row->show_reason)
        jv_text(body, "reason", err->text);
    jv_text(body, "instance", instance);
    http_response_status(response, row->status);
    http_response_header(response, "Content-Language", language_tags[language]);
    http_response_header(response, "Vary", "Accept-Language");
    http_response_header(response, "Cache-Control", "no-store");
    int retry_after_s = err->retry_after_s ? err->retry_after_s : row->retry_after_s;
    if (retry_after_s) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", retry_after_s);
        http_response_header(response, "Retry-After", seconds);
    }
    http_response_json(response, "application/problem+json", &body);
}

/* GET /problems/{code}: what a problem's "type" points to. */
bool api_problem_show(struct api *api, const struct http_request *request,
                      struct http_response *response, struct error *err)
{
    const struct problem_row *row = problem_find(http_request_param(request, "code"));
    if (!row) {
        error_set(err, ERROR_NOT_FOUND, "no such problem");
        return error_about(err, NULL, "not_found");
    }
    AUTO(jv_free) struct jv *body = jv_object();
    jv_text(body, "code", row->code);
    jv_int(body, "status", row->status);
    for (int i = 0; i < LANGUAGES; i++) {
        struct jv *words = jv_put_object(body, language_tags[i]);
        jv_text(words, "title", row->title[i]);
        jv_text(words, "detail", row->detail[i]);
    }
    http_response_json(response, NULL, &body);
    return true;
}
