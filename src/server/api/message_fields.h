/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a message: the form of POST /api/video/generate, /api/limits, OpenAPI and the
 * checks all come from this table. */
#pragma once

#include "api/endpoint.h"

struct http_form;
struct message_request;

enum {
    IMAGE_MAX_BYTES = 10 * 1000 * 1000,
    TEXT_MAX_CHARACTERS = 1000,
    SAMPLE_MAX_CHARACTERS = 200
};

/* Larger than two pictures and the text together, so that the part at fault is named. */
enum {
    MESSAGE_MAX_BODY = 32 * 1000 * 1000,
    IMAGE_MAX_BODY = 16 * 1000 * 1000,
    JSON_MAX_BODY = 64 * 1024
};

extern const struct field message_fields[];
/* Those that a still is made from. */
extern const struct field preview_fields[];

/* Reads background and background_image. */
MUST_USE bool message_background(const struct http_form *form, struct message_request *out,
                                 struct error *err);
