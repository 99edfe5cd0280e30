/* SPDX-License-Identifier: Apache-2.0 */
/* From a method and a path to a route. Pure; knows no endpoint. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_part_rule;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER, /* any method that we do not know */
};
enum http_method http_method_parse(const char *text);
const char *http_method_name(enum http_method method);

enum http_body {
    HTTP_BODY_NONE, /* a small body is read and thrown away */
    HTTP_BODY_FORM, /* multipart/form-data, see http/form.h */
    HTTP_BODY_BYTES /* kept in memory, up to max_body */
};

struct http_route {
    enum http_method method;
    const char *pattern; /* "/api/jobs/{id}/events": a name in braces takes one whole segment,
                            a last "{name...}" all that is left, also nothing */
    enum http_body body;
    size_t max_body;                    /* bytes of the whole body */
    const struct http_part_rule *parts; /* of a form */
    bool blocking; /* the handler may block: it runs on a worker, the others on a server's thread */
    bool heavy;    /* … for long: on a worker of its own kind, so that it holds up no other */
};

enum { HTTP_MAX_PARAMS = 4 };

struct http_params {
    size_t count;
    struct {
        const char *name; /* in the pattern, name_size bytes */
        size_t name_size;
        const char *value; /* in the path, value_size bytes */
        size_t value_size;
    } items[HTTP_MAX_PARAMS];
};

struct http_match {
    const struct http_route *route; /* NULL: none for this method */
    bool path_known;                /* some route has this path: 405, not 404; those that
                                       take all that is left do not count */
    unsigned allowed;               /* bit 1 << method of every route with this path */
    struct http_params params;      /* of `route`; borrowed from pattern and path */
};

/* GET routes answer HEAD too. The first route that matches wins. */
struct http_match http_route_find(const struct http_route *routes, size_t count,
                                  enum http_method method, const char *path);

/* "GET, HEAD, OPTIONS": the value of the Allow field. */
void http_allowed_text(unsigned allowed, char *out, size_t size);
