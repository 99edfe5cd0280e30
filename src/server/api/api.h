/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's API: what its endpoints share, and the way in for the HTTP server. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/problem_table.h"
#include "base/attributes.h"

struct engines;
struct error;
struct health;
struct http_app;
struct http_request;
struct http_response;
struct http_tree;
struct jobs;
struct metrics;
struct presets;
struct store;

/* Everything is borrowed and must outlive the API. */
struct api {
    const char *version;
    struct health *health;
    struct metrics *metrics;
    struct http_tree *page;  /* the built web page, or NULL */
    struct presets *presets; /* backgrounds and music, or NULL */
    struct store *store;
    struct jobs *jobs;
    struct engines *engines;
    unsigned roles;        /* which surfaces are offered: bits of enum api_role */
    int64_t wait_limit_ms; /* of a synchronous answer, then 202 */
    int64_t heartbeat_ms;  /* of event streams */
    int64_t keep_uploads_ms, keep_videos_ms;
    bool show_metrics;    /* to everybody, not only on this machine */
    bool trust_forwarded; /* X-Forwarded-For comes from a proxy of ours */
};

enum api_role {
    API_ALWAYS = 0,       /* health, metrics, the description of the API */
    API_GATEWAY = 1 << 0, /* page, messages */
    API_VOICE = 1 << 1,
    API_IMAGE = 1 << 2,
    API_MUSIC = 1 << 3,
    API_VIDEO = 1 << 4,
    API_PROSODY = 1 << 5,
    API_WORKER = 1 << 6,
    API_ALL_ROLES = (1 << 7) - 1,
};

/* Fills in what http_server_start needs. What it allocates belongs to `app` and is released by
 * api_close after the server has stopped. */
void api_app(struct api *api, struct http_app *out);
void api_close(struct http_app *app);

/* By the query's lang=ja or lang=en (an EventSource cannot set header fields), or by the
 * request's Accept-Language; Japanese when neither has an opinion. */
enum language api_language(const struct http_request *request);

/* The problem document of an error; fields that the response has already stay. */
void api_problem(const struct http_request *request, const struct error *err,
                 struct http_response *response);
