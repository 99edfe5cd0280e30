/* SPDX-License-Identifier: Apache-2.0 */
#include "api/job_json.h"

#include <math.h>

#include "api/endpoint.h"
#include "api/video_name.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/jv.h"
#include "base/mem.h"
#include "jobs/jobs.h"

static void put_time(struct jv *object, const char *key, int64_t at_ms)
{
    char text[CLOCK_TEXT_SIZE];
    if (at_ms <= 0) {
        jv_null(object, key);
        return;
    }
    clock_text(at_ms, text);
    jv_text(object, key, text);
}

static void put_url(struct jv *object, const char *key, const struct job *job, const char *what)
{
    if (job->state != JOB_DONE) {
        jv_null(object, key);
        return;
    }
    AUTO(mem_free) char *url = xasprintf("/api/video/jobs/%s/%s", job->id, what);
    jv_text(object, key, url);
}

/* Names of fields in errors are static; a job's comes from the disk. */
static const char *static_field(const char *name)
{
    for (size_t i = 0; name && i < endpoint_count(); i++)
        for (const struct field *field = endpoints[i].fields; field && field->name; field++)
            if (strcmp(field->name, name) == 0)
                return field->name;
    return NULL;
}

void job_error(const struct job *job, struct error *err)
{
    bool cancelled = job->state == JOB_CANCELLED;
    const struct problem_row *row = problem_find(job->error.code);
    error_set(err, cancelled ? ERROR_CANCELLED : job->error.kind, "job %s: %s", job->id,
              job->error.text ? job->error.text : "cancelled");
    error_about(err, static_field(job->error.field),
                cancelled ? "job_cancelled" : (row ? row->code : NULL));
}

char *job_file_name(const struct job *job, const char *ending)
{
    AUTO(jv_free) struct jv *request = job->request ? jv_parse(bytes_of(job->request), NULL) : NULL;
    return video_name(jv_get_text(request, "text", ""), job->created_ms, ending);
}

static void put_file_name(struct jv *object, const struct job *job)
{
    AUTO(mem_free) char *name = job->state == JOB_DONE ? job_file_name(job, ".mp4") : NULL;
    jv_text(object, "file_name", name);
}

static void put_error(struct jv *object, const struct job *job, enum language language)
{
    if (job->state != JOB_ERROR) {
        jv_null(object, "error");
        return;
    }
    struct error err = {.kind = ERROR_INTERNAL};
    job_error(job, &err);
    const struct problem_row *row = problem_of(&err);
    struct jv *problem = jv_put_object(object, "error");
    AUTO(mem_free) char *type = xasprintf("/problems/%s", row->code);
    jv_text(problem, "type", type);
    jv_text(problem, "title", row->title[language]);
    jv_int(problem, "status", row->status);
    jv_text(problem, "detail", row->detail[language]);
    jv_text(problem, "code", row->code);
    if (err.field)
        jv_text(problem, "field", err.field);
}

/* What the result may show: names in the store stay inside. */
static void put_result(struct jv *object, const struct jv *result)
{
    static const char *const whole[] = {"width", "height", "fps", "frames", "size_bytes"};
    static const char *const texts[] = {"voice", "credit", "language"};
    jv_real(object, "duration_s", jv_get_real(result, "duration_s", 0));
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        jv_int(object, whole[i], jv_get_int(result, whole[i], 0));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        jv_text(object, texts[i], jv_get_text(result, texts[i], NULL));
    struct jv *timings = jv_copy(jv_get(result, "timings"));
    if (timings)
        jv_put(object, "timings", &timings);
}

static struct jv *parse_result(const struct job *job)
{
    return job->result ? jv_parse(bytes_of(job->result), NULL) : NULL;
}

struct jv *job_json(const struct job *job, enum language language)
{
    struct jv *object = jv_object();
    jv_text(object, "id", job->id);
    jv_text(object, "status", job_state_name(job->state));
    jv_text(object, "stage", job->stage[0] ? job->stage : NULL);
    jv_real(object, "progress", job->state == JOB_DONE ? 100 : floor(job->progress * 10) / 10);
    if (job->eta_ms >= 0 && !job_state_final(job->state))
        jv_real(object, "eta_s", (double)job->eta_ms / 1000);
    else
        jv_null(object, "eta_s");
    if (job->state == JOB_QUEUED)
        jv_int(object, "position", job->position);
    put_time(object, "created_at", job->created_ms);
    put_time(object, "started_at", job->started_ms);
    put_time(object, "completed_at", job->completed_ms);
    put_url(object, "video_url", job, "video");
    put_url(object, "thumbnail_url", job, "thumbnail");
    put_file_name(object, job);
    put_error(object, job, language);
    AUTO(jv_free) struct jv *result = job->state == JOB_DONE ? parse_result(job) : NULL;
    if (result)
        put_result(jv_put_object(object, "result"), result);
    return object;
}

struct jv *job_answer(const struct job *job, enum language language)
{
    struct jv *object = jv_object();
    jv_text(object, "job_id", job->id);
    jv_text(object, "status", job_state_name(job->state));
    put_url(object, "video_url", job, "video");
    put_url(object, "thumbnail_url", job, "thumbnail");
    put_file_name(object, job);
    AUTO(jv_free) struct jv *result = parse_result(job);
    put_result(object, result);
    return object;
}
