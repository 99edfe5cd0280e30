/* SPDX-License-Identifier: Apache-2.0 */
/* The route table. The order is the order in which rows are tried: the most frequent first, the
 * page, which takes every path that is left, last. */
#include "api/endpoint.h"

#define NAME_FIELD(n, h)                                                                           \
    {                                                                                              \
        .place = FIELD_PATH, .kind = FIELD_TEXT, .name = (n), .help = (h), .required = true        \
    }
#define ROUTE(m, p, h) .method = (m), .pattern = (p), .handle = (h)
#define END_FIELD                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct field problem_fields[] = {NAME_FIELD("code", "The code."), END_FIELD};

static const struct answer health_answers[] = {
    {200, "application/json", "Health", "Well, or working without something optional."},
    {503, "application/json", "Health", "Something required is not there."},
    {0},
};
static const struct answer state_answers[] = {
    {200, "application/json", "State", "Yes."},
    {503, "application/json", "State", "Not now."},
    {0},
};
static const struct answer live_answers[] = {{200, "application/json", "State", "It runs."}, {0}};
static const struct answer metrics_answers[] = {
    {200, "text/plain", NULL, "Prometheus text format."}, {0}};
static const struct answer openapi_answers[] = {
    {200, "application/json", "Any", "An OpenAPI 3.1 document."}, {0}};
static const struct answer html_answers[] = {{200, "text/html", NULL, "A page."}, {0}};
static const struct answer problem_answers[] = {
    {200, "application/json", "ProblemKind", "The problem in both languages."}, {0}};

const struct endpoint endpoints[] = {
    {ROUTE(HTTP_GET, "/health", api_health), .id = "health", .group = "operation",
     .summary = "Is everything well?", .answers = health_answers},
    {ROUTE(HTTP_GET, "/health/live", api_health_live), .id = "live", .group = "operation",
     .summary = "Does the process answer at all?", .answers = live_answers},
    {ROUTE(HTTP_GET, "/health/ready", api_health_ready), .id = "ready", .group = "operation",
     .summary = "Can this process take work?", .answers = state_answers},
    {ROUTE(HTTP_GET, "/metrics", api_metrics), .id = "metrics", .group = "operation",
     .summary = "Figures for Prometheus", .answers = metrics_answers, .blocking = true},
    {ROUTE(HTTP_GET, "/openapi.json", api_openapi), .id = "openapi", .group = "operation",
     .summary = "This interface as OpenAPI 3.1", .answers = openapi_answers},
    {ROUTE(HTTP_GET, "/docs", api_docs), .id = "docs", .group = "operation",
     .summary = "This interface as a page to read", .answers = html_answers},
    {ROUTE(HTTP_GET, "/docs/style.css", api_docs_style)},
    {ROUTE(HTTP_GET, "/problems/{code}", api_problem_show), .id = "showProblem",
     .group = "operation", .summary = "What a problem's type means", .fields = problem_fields,
     .answers = problem_answers},
    {ROUTE(HTTP_GET, "/{path...}", api_page), .roles = API_GATEWAY},
};

size_t endpoint_count(void)
{
    return sizeof endpoints / sizeof *endpoints;
}
