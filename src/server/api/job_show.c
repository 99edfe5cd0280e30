/* SPDX-License-Identifier: Apache-2.0 */
/* GET and DELETE /api/video/jobs/{id}: where a message stands, and stopping it. */
#include "api/endpoint.h"
#include "api/job_json.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/log.h"
#include "jobs/jobs.h"

static bool answer(struct api *api, const struct http_request *request, const char *id,
                   struct http_response *response, struct error *err)
{
    AUTO(job_free) struct job *job = jobs_get(api->jobs, id, err);
    if (!job)
        return error_wrap(err, "show a job");
    AUTO(jv_free) struct jv *body = job_json(job, api_language(request));
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}

bool api_job_show(struct api *api, const struct http_request *request,
                  struct http_response *response, struct error *err)
{
    return answer(api, request, http_request_param(request, "id"), response, err);
}

bool api_job_cancel(struct api *api, const struct http_request *request,
                    struct http_response *response, struct error *err)
{
    const char *id = http_request_param(request, "id");
    if (!jobs_cancel(api->jobs, id, err))
        return false;
    log_info("job.cancel_asked", LOG_TEXT("job", id));
    return answer(api, request, id, response, err);
}
