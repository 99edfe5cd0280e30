/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each endpoint: the route, its handler, its fields with their limits, and the words
 * from which /openapi.json and /docs are made. */
#pragma once

#include "api/api.h"
#include "http/form.h"
#include "http/request.h"
#include "http/response.h"
#include "http/router.h"

struct jv;

typedef bool endpoint_handler(struct api *api, const struct http_request *request,
                              struct http_response *response, struct error *err);

enum field_place { FIELD_FORM = 1, FIELD_PATH, FIELD_QUERY, FIELD_HEADER, FIELD_JSON };
enum field_kind { FIELD_TEXT = 1, FIELD_FILE, FIELD_NUMBER, FIELD_INTEGER };

struct field {
    enum field_place place;
    enum field_kind kind;
    const char *name;
    const char *help;
    bool required;
    size_t max_bytes;           /* of a text or file */
    double min, max;            /* of numbers */
    const char *initial;        /* NULL, or the value when it is not sent */
    const char *const *choices; /* NULL, or all values of a text, ended by NULL */
    const char *too_large_code; /* see struct http_part_rule */
    const char *not_utf8_code;
    const char *control_code;
};

struct answer {
    int status; /* 0 ends the list */
    const char *type;
    const char *schema; /* name in the schema table, or NULL for what is no JSON */
    const char *help;
};

struct endpoint {
    enum http_method method;
    const char *pattern;
    endpoint_handler *handle;
    unsigned roles;    /* any of these must be on; API_ALWAYS */
    bool blocking;     /* see struct http_route */
    bool heavy;        /* see struct http_route; forms are so in any case */
    bool long_lived;   /* its duration is up to the client: not logged as slow */
    size_t max_body;   /* of a form */
    size_t max_json;   /* of a JSON body, which takes the fields of place FIELD_JSON */
    const char *id;    /* operationId; NULL leaves it out of the description (the page) */
    const char *group; /* tag */
    const char *summary;
    const char *help;           /* NULL, or more than the summary */
    const struct field *fields; /* NULL, or ended by one without a name */
    const struct answer *answers;
};

/* All rows, in the order in which they are tried. */
extern const struct endpoint endpoints[];
size_t endpoint_count(void);

/* Handlers, one file each (or a few that belong together). */
endpoint_handler api_background_health, api_background_remove, api_docs, api_docs_style, api_health,
    api_health_live, api_health_ready, api_image_cutout, api_image_faces, api_image_landmarks,
    api_image_preview, api_job_cancel, api_job_events, api_job_show, api_job_thumbnail,
    api_job_video, api_jobs_page, api_limits, api_message_create, api_metrics, api_openapi,
    api_page, api_person_detect, api_person_extract, api_process_image, api_preset_background_file,
    api_preset_backgrounds, api_preset_music, api_preset_music_file, api_problem_show,
    api_task_progress, api_unified_health, api_unified_providers, api_unified_speak,
    api_unified_types, api_unified_voice, api_unified_voices, api_voice_sample, api_voices;

/* A number from the form, within the limits of its row; the row's initial value when it was not
 * sent. Errors number_malformed and number_out_of_range about the field. */
MUST_USE bool endpoint_number(const struct field *fields, const char *name,
                              const struct http_form *form, double *out, struct error *err);

/* The JSON body, an object. Errors media_type_unsupported, json_malformed. */
MUST_USE struct jv *endpoint_json(const struct http_request *request, struct error *err);
/* As endpoint_number, from the members of a JSON body. */
MUST_USE bool endpoint_json_number(const struct field *fields, const char *name,
                                   const struct jv *body, double *out, struct error *err);
