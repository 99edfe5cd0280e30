/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/video/jobs/{id}/events: a job's changes as server-sent events.
 *
 *     retry: 2000
 *
 *     id: 17
 *     event: job
 *     data: {"id":…,"status":"running","progress":42,…}
 *
 *     : still here
 *
 * The id is the job's revision, so a client that comes back with Last-Event-ID is told only what
 * it has not seen. The stream ends with the job. When the service begins to stop, an event
 * "shutdown" says so; the stream goes on while the job may still finish, and afterwards the
 * client's own reconnecting finds the next process.
 *
 * GET /api/sse/progress/{task} tells the same in the shape of the earlier application: events
 * without a name, {"task_id","event_type","data","timestamp"}, heartbeats among them. */
#include <inttypes.h>

#include "api/endpoint.h"
#include "api/job_json.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/jv.h"
#include "base/mem.h"
#include "base/text.h"
#include "jobs/jobs.h"

struct events {
    struct jobs *jobs;
    char id[JOB_ID_SIZE];
    enum language language;
    int64_t seen;              /* revision that the client has */
    int64_t beat_ms, beats_ms; /* the next one, and how far apart they are */
    bool begun, told;
    bool earlier; /* in the earlier application's shape */
    char stage[JOB_STAGE_SIZE];
    struct http_waker *waker;
    struct job_watch *watch;
};

static void wake(void *context)
{
    http_waker_wake(context);
}

static void events_free(void *context)
{
    struct events *events = context;
    if (events->watch)
        job_watch_end(events->watch);
    http_waker_free(events->waker);
    free(events);
}

static bool put_job(const struct job *job, enum language language, struct buf *out)
{
    AUTO(jv_free) struct jv *object = job_json(job, language);
    return buf_printf(out, NULL, "id: %" PRId64 "\nevent: job\ndata: ", job->revision) &&
           jv_write(object, false, out, NULL) && buf_text(out, "\n\n", NULL);
}

static bool put_task_event(const struct events *events, const char *type, const struct job *job,
                           struct buf *out)
{
    AUTO(jv_free) struct jv *object = jv_object();
    jv_text(object, "task_id", events->id);
    jv_text(object, "event_type", type);
    struct jv *data = jv_put_object(object, "data");
    AUTO(jv_free) struct jv *whole = job_json(job, events->language);
    const struct jv *problem = jv_get(whole, "error");
    jv_text(data, "stage", job->stage[0] ? job->stage : job_state_name(job->state));
    jv_real(data, "progress", jv_get_real(whole, "progress", 0));
    jv_text(data, "message", jv_get_text(problem, "detail", job_state_name(job->state)));
    jv_put(data, "metadata", &whole);
    jv_real(object, "timestamp", (double)wall_ms() / 1e3);
    return buf_printf(out, NULL, "id: %" PRId64 "\ndata: ", job->revision) &&
           jv_write(object, false, out, NULL) && buf_text(out, "\n\n", NULL);
}

/* "error" also for what was cancelled: the earlier application had no other end. */
static const char *task_event_type(struct events *events, const struct job *job)
{
    if (job_state_final(job->state))
        return job->state == JOB_DONE ? "complete" : "error";
    bool same = strcmp(events->stage, job->stage) == 0;
    memcpy(events->stage, job->stage, sizeof events->stage);
    return same ? "progress_update" : "stage_update";
}

static bool put_news(struct events *events, const struct job *job, struct buf *out)
{
    return events->earlier ? put_task_event(events, task_event_type(events, job), job, out)
                           : put_job(job, events->language, out);
}

static bool put_beat(struct events *events, const struct job *job, struct buf *out)
{
    return events->earlier ? put_task_event(events, "heartbeat", job, out)
                           : buf_text(out, ": still here\n\n", NULL);
}

static enum http_pull events_pull(void *context, int64_t now_ms, bool stopping, struct buf *out,
                                  int64_t *out_wake_ms)
{
    struct events *events = context;
    AUTO(job_free) struct job *job = jobs_get(events->jobs, events->id, NULL);
    if (!events->begun && !buf_text(out, "retry: 2000\n\n", NULL))
        return HTTP_PULL_FAILED;
    if (!job)
        return HTTP_PULL_END;
    if (!events->begun || job->revision > events->seen) {
        bool news = job->revision > events->seen;
        events->begun = true;
        events->seen = job->revision;
        events->beat_ms = now_ms + events->beats_ms;
        if (news && !put_news(events, job, out))
            return HTTP_PULL_FAILED;
        if (job_state_final(job->state))
            return HTTP_PULL_END;
    }
    if (!events->told && (stopping || jobs_stopping(events->jobs))) {
        events->told = true;
        if (!buf_text(out, "retry: 3000\nevent: shutdown\ndata: {\"retry_after_s\":3}\n\n", NULL))
            return HTTP_PULL_FAILED;
    }
    if (stopping)
        return HTTP_PULL_END;
    if (out->size)
        return HTTP_PULL_DATA;
    if (now_ms >= events->beat_ms) {
        events->beat_ms = now_ms + events->beats_ms;
        return put_beat(events, job, out) ? HTTP_PULL_DATA : HTTP_PULL_FAILED;
    }
    *out_wake_ms = events->beat_ms;
    return HTTP_PULL_WAIT;
}

static bool follow(struct api *api, const struct http_request *request, bool earlier,
                   struct http_response *response, struct error *err)
{
    const char *id = http_request_param(request, earlier ? "task" : "id");
    const char *last = http_request_header(request, "Last-Event-ID");
    int64_t seen = -1;
    AUTO(job_free) struct job *job = jobs_get(api->jobs, id, err);
    if (!job)
        return error_wrap(err, "follow a job");
    if (last && !text_int(last, 0, INT64_MAX - 1, &seen))
        seen = -1;
    if (seen > job->revision)
        seen = -1; /* not of this job */
    http_response_header(response, "Cache-Control", "no-store");
    if (seen == job->revision && job_state_final(job->state)) {
        http_response_status(response, 204); /* tells a browser to stop asking */
        return true;
    }
    struct events *events = xcalloc(1, sizeof *events);
    *events = (struct events){
        .jobs = api->jobs,
        .language = api_language(request),
        .seen = seen,
        .earlier = earlier,
        .beats_ms = api->heartbeat_ms,
        .waker = http_request_waker(request),
    };
    memcpy(events->id, job->id, sizeof events->id);
    events->watch = jobs_watch(api->jobs, events->id, wake, events->waker);
    const struct http_stream stream = {events, events_pull, events_free};
    http_response_header(response, "X-Accel-Buffering", "no");
    http_response_stream(response, "text/event-stream; charset=utf-8", &stream);
    return true;
}

bool api_job_events(struct api *api, const struct http_request *request,
                    struct http_response *response, struct error *err)
{
    return follow(api, request, false, response, err);
}

bool api_task_progress(struct api *api, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    return follow(api, request, true, response, err);
}
