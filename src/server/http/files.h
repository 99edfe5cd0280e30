/* SPDX-License-Identifier: Apache-2.0 */
/* Files as responses: types, validators, ranges; and a folder of static files from which no path
 * leads out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

struct error;
struct http_request;
struct http_response;

struct http_file {
    int fd; /* taken over in any case */
    const char *type;
    const char *etag;          /* with quotes; NULL: made from size and time */
    const char *cache_control; /* NULL: "no-cache" */
    const char *download_name; /* NULL, or the UTF-8 name to save it under */
};

/* 200, 206, 304, 412 (as a failure) or 416 (as a failure, code range_unsatisfiable). */
MUST_USE bool http_response_file(const struct http_request *request, struct http_response *response,
                                 struct http_file *file, struct error *err);

/* By the name's ending; "application/octet-stream" when it is not known. */
const char *http_type_of(const char *name);

/* A folder of static files, opened once. */
struct http_tree;
MUST_USE struct http_tree *http_tree_open(const char *root, struct error *err);
void http_tree_close(struct http_tree *tree);

/* Opens a file beneath the root: never outside, whatever the path or a link says. -1 and
 * ERROR_NOT_FOUND (not_found) for what is no regular file in there. */
MUST_USE int http_tree_open_file(const struct http_tree *tree, const char *path, struct error *err);

/* Answers with the file at `path` (without a slash at its start), or with `path`.gz when that is
 * there and the client takes it. `immutable` files never change under their name. */
MUST_USE bool http_response_tree(const struct http_request *request, struct http_response *response,
                                 const struct http_tree *tree, const char *path, bool immutable,
                                 struct error *err);
