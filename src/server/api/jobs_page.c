/* SPDX-License-Identifier: Apache-2.0 */
/* GET /jobs: what the queue holds, for who runs the service, as a page without scripts. Ids of
 * messages open their videos, so it is told on this machine only. */
#include "api/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_json.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "jobs/jobs.h"

enum { MAX_PAGE = 512 * 1024, MAX_ROWS = 200, SPAN_TEXT = 40 };

static enum job_state state_named(const char *name)
{
    int state = 0;
    while (name && state < JOB_STATES && strcmp(name, job_state_name((enum job_state)state)) != 0)
        state++;
    return name ? (enum job_state)state : JOB_STATES;
}

/* The states with their numbers, each a link to its jobs. */
static bool put_states(struct buf *out, const struct jobs_counts *counts, enum job_state shown,
                       struct error *err)
{
    bool all = shown == JOB_STATES;
    if (!buf_printf(out, err, "<nav aria-label=\"States\"><a href=\"/jobs\"%s>All</a>",
                    all ? " aria-current=\"page\"" : ""))
        return false;
    for (int i = 0; i < JOB_STATES; i++)
        if (!buf_printf(out, err, "<a href=\"/jobs?state=%s\"%s>%s: %lld</a>",
                        job_state_name((enum job_state)i),
                        shown == (enum job_state)i ? " aria-current=\"page\"" : "",
                        job_state_name((enum job_state)i), (long long)counts->states[i]))
            return false;
    return buf_text(out, "</nav>\n", err);
}

/* "3.4 s"; nothing where it has not begun. */
static void took_text(const struct job *job, int64_t now_ms, char out[SPAN_TEXT])
{
    int64_t end_ms = job_state_final(job->state) ? job->completed_ms : now_ms;
    out[0] = '\0';
    if (job->started_ms > 0 && end_ms >= job->started_ms)
        snprintf(out, SPAN_TEXT, "%.1f s", (double)(end_ms - job->started_ms) / 1e3);
}

static bool put_outcome(struct buf *out, const struct job *job, struct error *err)
{
    struct error failed = {.kind = ERROR_INTERNAL};
    switch (job->state) {
    case JOB_QUEUED:
        return buf_printf(out, err, "place %d in the queue", job->position);
    case JOB_RUNNING:
        return buf_printf(out, err, "%s, %.0f %%", job->stage[0] ? job->stage : "begins",
                          job->progress);
    case JOB_DONE:
        return buf_printf(out, err, "<a href=\"/api/video/jobs/%s/video\">video</a>", job->id);
    case JOB_ERROR:
        job_error(job, &failed);
        return buf_printf(out, err, "%s (<a href=\"/problems/%s\">%s</a>)",
                          problem_of(&failed)->title[LANGUAGE_EN], problem_of(&failed)->code,
                          problem_of(&failed)->code);
    default:
        return true;
    }
}

static bool put_job(struct buf *out, const struct job *job, int64_t now_ms, struct error *err)
{
    char created[CLOCK_TEXT_SIZE], took[SPAN_TEXT], tries[SPAN_TEXT] = "";
    clock_text(job->created_ms, created); /* 2026-11-23T19:30:48.252Z */
    created[sizeof "2026-11-23T19:30:48" - 1] = '\0';
    created[sizeof "2026-11-23" - 1] = ' ';
    took_text(job, now_ms, took);
    if (job->attempts > 1)
        snprintf(tries, sizeof tries, "%d tries", job->attempts);
    return buf_printf(out, err,
                      "<tr><th scope=\"row\"><a href=\"/api/video/jobs/%s\"><code>%s</code></a>"
                      "</th><td>%s</td><td>%s</td><td>",
                      job->id, job->id, created, job_state_name(job->state)) &&
           put_outcome(out, job, err) &&
           buf_printf(out, err, "</td><td>%s</td><td>%s</td></tr>\n", took, tries);
}

static bool put_jobs(struct buf *out, struct jobs *jobs, enum job_state state, struct error *err)
{
    struct job **list = NULL;
    size_t count = 0;
    int64_t now_ms = wall_ms();
    if (!jobs_list(jobs, state, MAX_ROWS, &list, &count, err))
        return false;
    bool fine =
        count > 0
            ? buf_text(out,
                       "<table class=\"jobs\"><thead><tr><th>Message</th><th>Created, UTC</th>"
                       "<th>State</th><th>What comes of it</th><th>Took</th><th>Again</th>"
                       "</tr></thead><tbody>\n",
                       err)
            : buf_text(out, "<p>There are none.</p>\n", err);
    for (size_t i = 0; i < count; i++) {
        fine = fine && put_job(out, list[i], now_ms, err);
        job_free(list[i]);
    }
    free(list);
    return fine && (count == 0 || buf_text(out, "</tbody></table>\n", err));
}

bool api_jobs_page(struct api *api, const struct http_request *request,
                   struct http_response *response, struct error *err)
{
    AUTO(buf_dispose) struct buf page = BUF(MAX_PAGE);
    struct jobs_counts counts;
    enum job_state state = state_named(http_request_query(request, "state"));
    if (!http_request_is_local(request)) {
        error_set(err, ERROR_DENIED, "asked for from another machine");
        return error_about(err, NULL, "jobs_denied");
    }
    jobs_counts(api->jobs, &counts);
    int64_t unfinished = counts.states[JOB_QUEUED] + counts.states[JOB_RUNNING];
    bool fine =
        buf_text(&page,
                 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                 "<title>Video Message App: messages</title>\n"
                 "<link rel=\"icon\" href=\"/icons/icon.svg\" type=\"image/svg+xml\">\n"
                 "<link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><main>\n"
                 "<h1>Messages</h1>\n<nav><a href=\"/\">The page</a><a href=\"/docs\">API</a>"
                 "<a href=\"/health\">Health</a><a href=\"/metrics\">Figures</a></nav>\n",
                 err) &&
        buf_printf(&page, err, "<p>%lld of at most %d wait or run. The latest %d are shown.</p>\n",
                   (long long)unfinished, counts.max_waiting, MAX_ROWS) &&
        put_states(&page, &counts, state, err) && put_jobs(&page, api->jobs, state, err) &&
        buf_text(&page, "</main></body></html>\n", err);
    if (!fine)
        return false;
    http_response_header(response, "Content-Security-Policy",
                         "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
                         "frame-ancestors 'none'");
    http_response_header(response, "Cache-Control", "no-store");
    if (unfinished > 0)
        http_response_header(response, "Refresh", "5");
    http_response_take(response, "text/html; charset=utf-8", &page);
    return true;
}
