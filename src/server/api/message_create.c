/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/video/generate: a photo and a sentence become a job, and the job's video the answer,
 * unless that takes too long or the client would rather not wait. */
#include <stdio.h>

#include "api/endpoint.h"
#include "api/engines.h"
#include "api/job_json.h"
#include "api/message_fields.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/header.h"
#include "jobs/jobs.h"
#include "pipeline/pipeline.h"

struct waiting {
    struct api *api;
    char id[JOB_ID_SIZE];
    int64_t until_ms;
    struct http_waker *waker;
    struct job_watch *watch;
};

static void wake(void *context)
{
    http_waker_wake(context);
}

static void waiting_free(void *context)
{
    struct waiting *waiting = context;
    if (waiting->watch)
        job_watch_end(waiting->watch);
    http_waker_free(waiting->waker);
    free(waiting);
}

static bool answer_accepted(const struct job *job, const struct http_request *request,
                            struct http_response *response)
{
    AUTO(mem_free) char *location = xasprintf("/api/video/jobs/%s", job->id);
    AUTO(jv_free) struct jv *body = job_json(job, api_language(request));
    http_response_status(response, 202);
    http_response_header(response, "Location", location);
    http_response_header(response, "Cache-Control", "no-store");
    http_response_json(response, NULL, &body);
    return true;
}

static bool answer_again(void *context, const struct http_request *request,
                         struct http_response *response, bool stopping, struct error *err)
{
    struct waiting *waiting = context;
    AUTO(job_free) struct job *job = jobs_get(waiting->api->jobs, waiting->id, err);
    if (!job)
        return false;
    if (job->state == JOB_DONE) {
        AUTO(jv_free) struct jv *body = job_answer(job, api_language(request));
        AUTO(mem_free) char *location = xasprintf("/api/video/jobs/%s", job->id);
        http_response_header(response, "Content-Location", location);
        http_response_header(response, "Cache-Control", "no-store");
        http_response_json(response, NULL, &body);
        return true;
    }
    if (job_state_final(job->state)) {
        job_error(job, err);
        return false;
    }
    if (stopping || mono_ms() >= waiting->until_ms)
        return answer_accepted(job, request, response);
    const struct http_wait wait = {waiting, answer_again, waiting_free, waiting->until_ms};
    http_response_wait(response, &wait);
    return true;
}

/* RFC 7240: "respond-async", "wait=10". How long this request may wait, and what of that it asked
 * for, or NULL. */
static int64_t wait_ms_of(const struct http_request *request, int64_t limit_ms,
                          const char **out_applied)
{
    struct bytes rest = bytes_of(""), element;
    const char *prefer = http_request_header(request, "Prefer");
    int64_t wait_ms = limit_ms, seconds = 0;
    bool async = false, waits = false;
    if (prefer)
        rest = bytes_of(prefer);
    while (header_list_next(&rest, &element)) {
        char text[32];
        struct bytes value = header_value(element);
        if (bytes_equal_nocase(value, "respond-async"))
            async = true;
        if (value.size > 5 && value.size < sizeof text &&
            strncasecmp((const char *)value.data, "wait=", 5) == 0) {
            snprintf(text, sizeof text, "%.*s", (int)value.size - 5, value.data + 5);
            waits = text_int(text, 0, 24 * 3600, &seconds);
        }
    }
    if (waits && seconds * 1000 < limit_ms)
        wait_ms = seconds * 1000;
    else if (async)
        wait_ms = waits ? limit_ms : 0;
    *out_applied = async && wait_ms == 0 ? "respond-async" : waits ? "wait" : NULL;
    return wait_ms;
}

static bool read_motion(const struct http_form *form, bool *out, struct error *err)
{
    const char *motion = http_form_text(form, "motion");
    *out = !motion || !*motion || strcmp(motion, "on") == 0;
    if (*out || strcmp(motion, "off") == 0)
        return true;
    error_set(err, ERROR_INVALID, "motion is neither on nor off");
    return error_about(err, "motion", "motion_unknown");
}

static bool read_request(const struct http_form *form, struct message_request *out,
                         struct error *err)
{
    const struct field *fields = message_fields;
    double face = -1;
    *out = message_request_defaults();
    out->image_path = http_form_file(form, "image");
    out->text = http_form_text(form, "text");
    out->voice_profile = http_form_text(form, "voice_profile");
    out->format = http_form_text(form, "format");
    out->bgm = http_form_text(form, "bgm");
    bool fine = message_background(form, out, err) &&
                endpoint_number(fields, "speed", form, &out->speed, err) &&
                endpoint_number(fields, "pitch", form, &out->pitch, err) &&
                endpoint_number(fields, "intonation", form, &out->intonation, err) &&
                endpoint_number(fields, "volume", form, &out->volume, err) &&
                endpoint_number(fields, "pause", form, &out->pause, err) &&
                endpoint_number(fields, "face", form, &face, err) &&
                read_motion(form, &out->motion, err);
    out->face = (int)face;
    return fine;
}

/* Answers when the job is over, or after `wait_ms`. */
static void answer_later(struct api *api, const char *id, int64_t wait_ms,
                         const struct http_request *request, struct http_response *response)
{
    struct waiting *waiting = xcalloc(1, sizeof *waiting);
    *waiting = (struct waiting){
        .api = api,
        .until_ms = mono_ms() + wait_ms,
        .waker = http_request_waker(request),
    };
    snprintf(waiting->id, sizeof waiting->id, "%s", id);
    waiting->watch = jobs_watch(api->jobs, waiting->id, wake, waiting->waker);
    const struct http_wait wait = {waiting, answer_again, waiting_free, waiting->until_ms};
    http_response_wait(response, &wait);
    http_waker_wake(waiting->waker); /* it may be over already: look once */
}

bool api_message_create(struct api *api, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    struct http_form *form = http_request_form(request);
    struct message_request message;
    char id[JOB_ID_SIZE];
    if (!jobs_room(api->jobs, err) || !read_request(form, &message, err))
        return false;
    struct pipeline *pipeline = engines_pipeline(api->engines, err);
    if (!pipeline || !pipeline_submit(pipeline, &message, id, err))
        return error_wrap(err, "accept a message");
    http_form_disown_file(form, "image");
    if (message.background_path)
        http_form_disown_file(form, "background_image");
    log_info("job.accepted", LOG_TEXT("job", id));

    const char *applied = NULL;
    int64_t wait_ms = wait_ms_of(request, api->wait_limit_ms, &applied);
    if (applied)
        http_response_header(response, "Preference-Applied", applied);
    if (wait_ms > 0) {
        answer_later(api, id, wait_ms, request, response);
        return true;
    }
    AUTO(job_free) struct job *job = jobs_get(api->jobs, id, err);
    return job && answer_accepted(job, request, response);
}
