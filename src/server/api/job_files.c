/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/video/jobs/{id}/video and …/thumbnail. */
#include <stdio.h>

#include "api/endpoint.h"
#include "api/job_json.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "http/files.h"
#include "jobs/jobs.h"
#include "store/store.h"

static bool check_done(const struct job *job, struct error *err)
{
    if (job->state == JOB_DONE)
        return true;
    error_set(err, ERROR_CONFLICT, "job %s is %s", job->id, job_state_name(job->state));
    return error_about(err, NULL,
                       job_state_final(job->state) ? "job_without_video" : "job_not_done");
}

/* Sends what the job's result names under `key`. */
static bool send_result(struct api *api, const struct http_request *request,
                        struct http_response *response, const char *key, struct error *err)
{
    AUTO(job_free)
    struct job *job = jobs_get(api->jobs, http_request_param(request, "id"), err);
    if (!job || !check_done(job, err))
        return false;
    AUTO(jv_free) struct jv *result = jv_parse(bytes_of(job->result ? job->result : ""), err);
    const char *name = jv_get_text(result, key, "");
    struct store_key where;
    struct store_object object;
    if (!result || !store_key_of(STORE_VIDEO, name, &where, err) ||
        !store_open(api->store, &where, &object, err)) {
        if (err->kind == ERROR_NOT_FOUND)
            error_about(err, NULL, "video_gone");
        return error_wrap(err, "%s of job %s", key, job->id);
    }
    char etag[STORE_NAME_SIZE + 2];
    snprintf(etag, sizeof etag, "\"%s\"", where.name);
    const char *dot = strrchr(where.name, '.');
    AUTO(mem_free) char *download = job_file_name(job, dot ? dot : "");
    const char *wanted = http_request_query(request, "download");
    struct http_file file = {
        .fd = object.fd,
        .type = http_type_of(where.name),
        .etag = etag,
        .cache_control = "private, max-age=86400",
        .download_name = wanted && strcmp(wanted, "1") == 0 ? download : NULL,
    };
    return http_response_file(request, response, &file, err);
}

bool api_job_video(struct api *api, const struct http_request *request,
                   struct http_response *response, struct error *err)
{
    return send_result(api, request, response, "video", err);
}

bool api_job_thumbnail(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    return send_result(api, request, response, "thumbnail", err);
}
